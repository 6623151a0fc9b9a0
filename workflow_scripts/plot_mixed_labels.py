"""Draw how much of the label mixing moves, and how far it is from what can be seen."""

from selfdoubt.figures import plots
from selfdoubt.runtime import cli, schemas


def run(arguments):
    settings = arguments.settings.figure
    tables = [schemas.read_table(path, schemas.SCHEMAS["mixed-labels"]).to_pylist() for path in arguments.labels]
    measured = [{row["statistic"]: row["value"] for row in rows} for rows in tables]
    n_replicates = len(measured) // len(settings.models)
    data = {model: measured[i * n_replicates : (i + 1) * n_replicates] for i, model in enumerate(settings.models)}
    looks = plots.arm_looks(arguments.settings.all_arms)
    plots.save(plots.mixed_labels(data, settings, looks), arguments.figure)


if __name__ == "__main__":
    files = {"labels": "tables of models, then replicates", "figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("labels", "figure"))

"""Compare the arms of one data set, paired over replicates."""

from selfdoubt.evaluation import compared_arms
from selfdoubt.evaluation.overlaps import overlap
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.contrasts import CONTRASTS_SCHEMA


def run(arguments):
    settings = arguments.settings
    [settings.overlap] = [overlap(path, settings.n_drawn) for path in arguments.counts] or [0.0]
    rows = compared_arms.compare_arms(arguments.predictions, settings)
    table_files.write_rows(arguments.output, rows, CONTRASTS_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"predictions": "of arms and replicates, in the settings' order", "counts": "of the data set, or nothing"}
    several = ("predictions", "counts")
    cli.main(run, files | {"output": "written: contrasts"}, several=several, listed=("predictions",))

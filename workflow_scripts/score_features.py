"""Add to a model's predictions the confidences that are computed from its features."""

from selfdoubt.evaluation import features, prediction_tables
from selfdoubt.runtime import cli, table_files


def run(arguments):
    table = table_files.read_table(arguments.predictions)
    samples, counts = features.read(arguments.features), {}
    for split in table.column("split").to_pylist():
        counts[split] = counts.get(split, 0) + 1
    found = features.confidences(arguments.settings.scores, samples, counts)
    prediction_tables.write_with_signals(arguments.output, table, found, arguments.metadata)


if __name__ == "__main__":
    files = {"predictions": "a table of logits", "features": "of the same images, and of train"}
    cli.main(run, files | {"output": "written: predictions"}, replicated=True)

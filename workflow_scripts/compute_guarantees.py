"""Find thresholds with a bound on the risk, and conformal sets, on val, and evaluate them on test."""

from selfdoubt.evaluation import guarantees
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.guarantees import GUARANTEES_SCHEMA


def run(arguments):
    settings, rows = arguments.settings, []
    for arm, path in zip(settings.arms, arguments.predictions, strict=True):
        predictions = predictions_by_split(table_files.read_table(path), path)
        rows += guarantees.evaluate(predictions, settings.guarantees, vars(arm))
    table_files.write_rows(arguments.output, rows, GUARANTEES_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"predictions": "of data sets, arms and replicates, in the settings' order", "output": "written: a table"}
    cli.main(run, files, several=("predictions",), listed=("predictions",))

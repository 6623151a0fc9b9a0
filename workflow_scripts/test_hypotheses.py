"""Compare arms paired over replicates, and say which claims hold."""

from selfdoubt.evaluation import hypotheses
from selfdoubt.runtime import cli, schemas


def run(arguments):
    predictions = hypotheses.Predictions(arguments.predictions, arguments.settings)
    for name, rows in hypotheses.judge(predictions, arguments.settings).items():
        schemas.write_rows(getattr(arguments, name), rows, schemas.SCHEMAS[name], arguments.metadata)


if __name__ == "__main__":
    written = {"comparisons": "written", "hypotheses": "written, with verdicts"}
    files = {"predictions": "of data sets, arms and replicates, in the settings' order"}
    cli.main(run, files | written, several=("predictions",), listed=("predictions",))

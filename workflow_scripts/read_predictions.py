"""Read the predictions that others made of a model into the table of this pipeline."""

from selfdoubt.external import arms
from selfdoubt.runtime import cli


def run(arguments):
    given = dict(zip(arguments.settings.splits, arguments.files, strict=True))
    arms.import_predictions(given, arguments.splits, arguments.output, arguments.settings, arguments.metadata)


if __name__ == "__main__":
    files = {"files": "of the settings' splits, in their order", "splits": "of the data set, where it has images"}
    cli.main(run, files | {"output": "written: predictions"}, several=("files", "splits"))

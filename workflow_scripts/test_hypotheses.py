"""Compare arms paired over replicates, and decide which hypotheses are supported."""

from selfdoubt.evaluation import hypotheses
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA

SCHEMAS = {"comparisons": COMPARISONS_SCHEMA, "hypotheses": HYPOTHESES_SCHEMA}


def run(arguments):
    for name, rows in hypotheses.compare_arms(arguments.predictions, arguments.settings).items():
        table_files.write_rows(getattr(arguments, name), rows, SCHEMAS[name], arguments.metadata)


if __name__ == "__main__":
    written = {"comparisons": "written", "hypotheses": "written, with verdicts"}
    files = {"predictions": "of data sets, arms and replicates, in the settings' order"}
    cli.main(run, files | written, several=("predictions",), listed=("predictions",))

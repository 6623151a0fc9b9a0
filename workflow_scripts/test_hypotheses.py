"""Compare arms paired over replicates, and decide which hypotheses are supported."""

from selfdoubt.evaluation import hypotheses
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA

SCHEMAS = {"comparisons": COMPARISONS_SCHEMA, "hypotheses": HYPOTHESES_SCHEMA}


def run(arguments):
    arms = hypotheses.Arms(arguments.predictions, arguments.settings)
    tables = hypotheses.compare_arms(arms, arguments.settings)
    for row in tables["hypotheses"]:
        if row["warning"]:
            print(f"warning: {row['hypothesis']} on {row['dataset']}: {row['warning']}", flush=True)
    for name, rows in tables.items():
        table_files.write_rows(getattr(arguments, name), rows, SCHEMAS[name], arguments.metadata)


if __name__ == "__main__":
    written = {"comparisons": "written", "hypotheses": "written, with verdicts"}
    files = {"predictions": "of data sets, arms and replicates, in the settings' order"}
    cli.main(run, files | written, several=("predictions",), listed=("predictions",))

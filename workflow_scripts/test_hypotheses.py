"""Decide which hypotheses are supported, from the contrasts of every data set."""

from selfdoubt.evaluation import hypotheses
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.contrasts import CONTRASTS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA

SCHEMAS = {"comparisons": COMPARISONS_SCHEMA, "hypotheses": HYPOTHESES_SCHEMA}


def run(arguments):
    tables = [table_files.read_table(path, CONTRASTS_SCHEMA) for path in arguments.contrasts]
    decided = hypotheses.decide([row for table in tables for row in table.to_pylist()], arguments.settings)
    for row in decided["hypotheses"]:
        if row["warning"]:
            print(f"warning: {row['hypothesis']} on {row['dataset']}: {row['warning']}", flush=True)
    for name, rows in decided.items():
        table_files.write_rows(getattr(arguments, name), rows, SCHEMAS[name], arguments.metadata)


if __name__ == "__main__":
    written = {"comparisons": "written", "hypotheses": "written, with verdicts"}
    cli.main(run, {"contrasts": "of every data set"} | written, several=("contrasts",))

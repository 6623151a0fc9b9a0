"""Draw who persuades whom."""

import pyarrow as pa

from selfdoubt.figures import plots
from selfdoubt.runtime import cli, schemas


def run(arguments):
    tables = [schemas.read_table(path, schemas.SCHEMAS["persuasion"]) for path in arguments.persuasion]
    rows = pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()
    plots.save(plots.persuasion_matrix(rows, arguments.settings.figure), arguments.figure)


if __name__ == "__main__":
    files = {"persuasion": "tables, one a replicate", "figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("persuasion", "figure"))

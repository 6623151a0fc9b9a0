"""Collect all metrics in one table."""

import pyarrow as pa

from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA


def run(arguments):
    schema = METRICS_SCHEMA
    tables = [table_files.read_table(path, schema).replace_schema_metadata() for path in arguments.tables]
    table_files.write_table(arguments.output, pa.concat_tables(tables), schema, arguments.metadata)


if __name__ == "__main__":
    files = {"tables": "of one arm and replicate each", "output": "written"}
    cli.main(run, files, several=("tables",), listed=("tables",))

"""Collect all metrics in one table."""

import pyarrow as pa

from selfdoubt.runtime import cli, schemas


def run(arguments):
    schema = schemas.SCHEMAS["metrics"]
    tables = [schemas.read_table(path, schema).replace_schema_metadata() for path in arguments.tables]
    schemas.write_table(arguments.output, pa.concat_tables(tables), schema, arguments.metadata)


if __name__ == "__main__":
    files = {"tables": "of one arm and replicate each", "output": "written"}
    cli.main(run, files, several=("tables",), listed=("tables",))

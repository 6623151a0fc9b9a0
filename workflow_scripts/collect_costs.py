"""Collect the seconds and the memory of all jobs in one table, from Snakemake's benchmark files and the jobs' logs."""

from selfdoubt.runtime import cli, costs, table_files
from selfdoubt.runtime.schemas.costs import COSTS_SCHEMA


def run(arguments):
    rows = costs.read_benchmarks(arguments.folder, arguments.settings.jobs, arguments.logs)
    table_files.write_rows(arguments.output, rows, COSTS_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    cli.main(run, {"folder": "of the benchmark files", "logs": "their folder", "output": "written"})

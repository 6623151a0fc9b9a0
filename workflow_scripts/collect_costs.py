"""Collect the seconds and the memory of all jobs in one table, from Snakemake's benchmark files and the jobs' logs."""

from selfdoubt.runtime import cli, costs, machine, table_files
from selfdoubt.runtime.schemas.costs import COSTS_SCHEMA


def run(arguments):
    jobs = arguments.settings.jobs
    rows = costs.read_benchmarks(arguments.folder, jobs, arguments.logs)
    # of this job; what others ran on is known by their logs
    known = {"machine": machine.machine(), "devices": costs.devices(jobs, arguments.logs)}
    known |= costs.span(arguments.folder, jobs)
    table_files.write_rows(arguments.output, rows, COSTS_SCHEMA, arguments.metadata | known)


if __name__ == "__main__":
    cli.main(run, {"folder": "of the benchmark files", "logs": "their folder", "output": "written"})

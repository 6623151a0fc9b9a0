"""Put the seconds and the memory of all jobs into one table, from Snakemake's benchmark files."""

from selfdoubt.runtime import cli, costs, schemas


def run(arguments):
    rows = costs.read_benchmarks(arguments.folder, arguments.settings.names, arguments.settings.replicates)
    schemas.write_rows(arguments.output, rows, schemas.SCHEMAS["costs"], arguments.metadata)


if __name__ == "__main__":
    cli.main(run, {"folder": "of the benchmark files", "output": "written"})

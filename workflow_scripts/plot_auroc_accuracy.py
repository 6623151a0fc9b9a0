"""Draw how well models rank their errors against how few they make."""

import pyarrow as pa

from selfdoubt import commands, figures, schemas


def run(arguments):
    tables = [schemas.read_table(path, schemas.SCHEMAS["metrics"]) for path in arguments.metrics]
    numbers = pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()
    looks = figures.arm_looks(arguments.settings.all_arms)
    figures.save(figures.auroc_accuracy(numbers, arguments.settings.figure, looks), arguments.figure)


if __name__ == "__main__":
    files = {"metrics": "of every arm and seed", "figure": "written, in the format of each suffix"}
    commands.main(run, files, several=("metrics", "figure"), listed=("metrics",))

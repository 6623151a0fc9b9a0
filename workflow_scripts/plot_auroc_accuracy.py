"""Draw how well models rank their errors against how few they make."""

import pyarrow as pa

from selfdoubt.figures import plots
from selfdoubt.runtime import cli, schemas
from selfdoubt.settings.bounds import MARK, marked


def run(arguments):
    tables = [schemas.read_table(path, schemas.SCHEMAS["metrics"]) for path in arguments.metrics]
    numbers = pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()
    bounds = arguments.settings.bounds
    looks = plots.arm_looks(marked(arguments.settings.all_arms, bounds))
    is_bound = (numbers["name"] + "/" + numbers["variant"]).isin(bounds)
    numbers.loc[is_bound, "variant"] += MARK
    plots.save(plots.auroc_accuracy(numbers, arguments.settings.figure, looks), arguments.figure)


if __name__ == "__main__":
    files = {"metrics": "of every arm and replicate", "figure": "written, in the format of each suffix"}
    cli.main(run, files, several=("metrics", "figure"), listed=("metrics",))

"""Read a test set that others collected again, in the shape of a data set's own images."""

from selfdoubt.data import counts, datasets, shifted
from selfdoubt.runtime import cli, schemas


def run(arguments):
    class_names = counts.class_names(schemas.read_table(arguments.counts, schemas.SCHEMAS["data"]))
    like = datasets.read_split(arguments.like, "test")
    found = shifted.recollected(arguments.settings.source, like, class_names)
    name, known = f"shifted-{arguments.output.stem}", cli.without_paths(arguments.metadata)
    datasets.write_splits(arguments.output, {name: found}, known)


if __name__ == "__main__":
    files = {"like": "the test split, whose size and channels to take", "counts": "of the data set"}
    cli.main(run, files | {"output": "written"})

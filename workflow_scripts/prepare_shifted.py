"""Read a test set that others collected again, in the shape of a data set's own images."""

from selfdoubt.data import datasets
from selfdoubt.data.sources import counts, shifted
from selfdoubt.runtime import cli, schemas


def run(arguments):
    n_classes = len(counts.class_names(schemas.read_table(arguments.counts, schemas.SCHEMAS["data"])))
    like = datasets.read_split(arguments.like, "test")
    found = shifted.recollected(arguments.settings.source, like, n_classes)
    name, known = f"shifted-{arguments.output.stem}", cli.without_paths(arguments.metadata)
    datasets.write_splits(arguments.output, {name: found}, known)


if __name__ == "__main__":
    files = {"like": "the test split, whose size and channels to take", "counts": "of the data set"}
    cli.main(run, files | {"output": "written"})

"""Read a test set that others collected again, in the shape of a data set's own images."""

from selfdoubt.data import datasets
from selfdoubt.data.sources import counts, shifted
from selfdoubt.runtime import cli, schemas, shared_data
from selfdoubt.settings import published


def run(arguments):
    source, known = arguments.settings.source, cli.without_paths(arguments.metadata)

    def make(paths):
        n_classes = len(counts.class_names(schemas.read_table(arguments.counts, schemas.SCHEMAS["data"])))
        found = shifted.recollected(source, datasets.read_split(arguments.like, "test"), n_classes)
        datasets.write_splits(paths[0], {f"shifted-{paths[0].stem}": found}, known)

    sources = [arguments.like, arguments.counts, *published.shifted_files(source)]
    shared_data.provide([arguments.output], arguments.store, arguments.metadata, sources, make)


if __name__ == "__main__":
    files = {"like": "the test split, whose size and channels to take", "counts": "of the data set"}
    cli.main(run, files | {"store": "the folder of what runs share; written", "output": "written"})

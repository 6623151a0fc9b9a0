"""Read a test set that others collected again, in the shape of a data set's own images."""

from selfdoubt.data import counts, datasets, shifted
from selfdoubt.runtime import cli, shared_data, table_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA


def run(arguments):
    known = cli.without_paths(arguments.metadata)

    def make(paths):
        class_names = counts.class_names(table_files.read_table(arguments.counts, COUNTS_SCHEMA))
        found = shifted.recollected(arguments.settings, datasets.read_split(arguments.like, "test"), class_names)
        datasets.write_splits(paths[0], {f"shifted-{paths[0].stem}": found}, known)

    sources = [arguments.like, *arguments.sources]  # counts come from the job that made the split
    shared_data.provide([arguments.output], arguments.store, arguments.metadata, sources, make)


if __name__ == "__main__":
    files = {"like": "the test split, whose size and channels to take", "counts": "of the data set"}
    files |= {"sources": "files and folders that it is made from"}
    files |= {"store": "the folder of what runs share; written", "output": "written"}
    cli.main(run, files, several=("sources",), listed=("sources",))

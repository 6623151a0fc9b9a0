"""Read a data set, split it into train, val and test, and count its images."""

from pathlib import Path

from selfdoubt.data import catalog, datasets
from selfdoubt.runtime import cli, shared_data, table_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA
from selfdoubt.settings.source_files import Folders

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
SPLITS = ("train", "val", "test")


def run(arguments):
    settings = arguments.settings
    known = cli.without_paths(arguments.metadata, catalog.without_path(settings.source))

    def make(paths):
        splits, counts = catalog.load(settings, Folders(RESOURCES, arguments.fetched))
        for name, path in zip(SPLITS, paths, strict=False):
            datasets.write_splits(path, {name: splits[name]}, known)
        table_files.write_rows(paths[-1], counts, COUNTS_SCHEMA, known)

    outputs = [arguments.train, arguments.val, arguments.test, arguments.counts]
    copied = [arguments.counts]  # which the page shows, whatever became of the images
    shared_data.provide(outputs, arguments.store, arguments.metadata, arguments.sources, make, copied)


if __name__ == "__main__":
    files = {"fetched": "folder of published files, as fetch_file leaves them"}
    files |= {"sources": "files and folders that it is made from"}
    files |= {"store": "the folder of what runs share; written"}
    files |= {"train": "written", "val": "written", "test": "written", "counts": "written: a row per number"}
    cli.main(run, files, several=("sources",), listed=("sources",))

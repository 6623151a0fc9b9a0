"""Convert out-of-distribution images to a data set's size and channels."""

from pathlib import Path

from selfdoubt.data import catalog, datasets
from selfdoubt.runtime import cli, shared_data
from selfdoubt.settings.source_files import Folders

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(arguments):
    settings = arguments.settings
    known = cli.without_paths(arguments.metadata, catalog.without_path(settings.source))

    def make(paths):
        _, channels, size_px, _ = datasets.read_split(arguments.like, "val").images.shape
        images = catalog.load_ood(settings, Folders(RESOURCES, arguments.fetched), channels, size_px)
        datasets.write_splits(paths[0], {f"ood-{paths[0].stem}": images}, known)

    sources = [arguments.like, *arguments.sources]
    shared_data.provide([arguments.output], arguments.store, arguments.metadata, sources, make)


if __name__ == "__main__":
    files = {"fetched": "folder of published files, as fetch_file leaves them"}
    files |= {"sources": "files and folders that it is made from"}
    files |= {"store": "the folder of what runs share; written"}
    files |= {"like": "a split whose size and channels to take", "output": "written"}
    cli.main(run, files, several=("sources",), listed=("sources",))

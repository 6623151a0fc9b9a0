"""Convert images of other things to the size and channels of a data set."""

from pathlib import Path

from selfdoubt.data import catalog, datasets
from selfdoubt.runtime import cli
from selfdoubt.settings.source_files import Folders

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(arguments):
    _, channels, size_px, _ = datasets.read_split(arguments.like, "val").images.shape
    folders = Folders(RESOURCES, arguments.fetched)
    images = catalog.load_ood(arguments.settings, folders, channels, size_px)
    name, known = f"ood-{arguments.output.stem}", cli.without_paths(arguments.metadata)
    datasets.write_splits(arguments.output, {name: images}, known)


if __name__ == "__main__":
    files = {"fetched": "folder of published files, as fetch_file leaves them"}
    cli.main(run, files | {"like": "a split whose size and channels to take", "output": "written"})

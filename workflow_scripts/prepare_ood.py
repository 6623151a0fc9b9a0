"""Convert images of other things to the size and channels of a data set."""

from pathlib import Path

from selfdoubt.data import catalog, datasets
from selfdoubt.runtime import cli

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(arguments):
    _, channels, size_px, _ = datasets.read_split(arguments.like, "val").images.shape
    images = catalog.load_ood(arguments.settings, RESOURCES, channels, size_px)
    name, known = f"ood-{arguments.output.stem}", cli.without_paths(arguments.metadata)
    datasets.write_splits(arguments.output, {name: images}, known)


if __name__ == "__main__":
    cli.main(run, {"like": "a split whose size and channels to take", "output": "written"})

"""Read a data set and write its train, val and test splits."""

from pathlib import Path

from selfdoubt import commands, datasets

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(arguments):
    splits = datasets.load_source(arguments.settings.source, RESOURCES)
    for name in ("train", "val", "test"):
        datasets.write_splits(getattr(arguments, name), {name: splits[name]}, arguments.metadata)


if __name__ == "__main__":
    commands.main(run, {"train": "written", "val": "written", "test": "written"})

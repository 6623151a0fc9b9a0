"""Find a data set, split it into train, val and test, and count what it is made of."""

from pathlib import Path

from selfdoubt import commands, datasets, schemas, sources

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(arguments):
    settings, known = arguments.settings, commands.without_paths(arguments.metadata)
    splits, counts = sources.load(settings, RESOURCES)
    for name in ("train", "val", "test"):
        datasets.write_splits(getattr(arguments, name), {name: splits[name]}, known)
    schemas.write_rows(arguments.counts, counts, schemas.SCHEMAS["data"], known)


if __name__ == "__main__":
    commands.main(run, {"train": "written", "val": "written", "test": "written", "counts": "written: a row per number"})

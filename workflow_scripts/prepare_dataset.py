"""Find a data set, split it into train, val and test, and count what it is made of."""

from pathlib import Path

from selfdoubt.data import catalog, datasets
from selfdoubt.runtime import cli, schemas
from selfdoubt.settings.source_files import Folders

RESOURCES = Path(__file__).resolve().parent.parent / "resources"


def run(arguments):
    settings, known = arguments.settings, cli.without_paths(arguments.metadata)
    splits, counts = catalog.load(settings, Folders(RESOURCES, arguments.fetched))
    for name in ("train", "val", "test"):
        datasets.write_splits(getattr(arguments, name), {name: splits[name]}, known)
    schemas.write_rows(arguments.counts, counts, schemas.SCHEMAS["data"], known)


if __name__ == "__main__":
    files = {"fetched": "folder of published files, as fetch_file leaves them"}
    cli.main(
        run, files | {"train": "written", "val": "written", "test": "written", "counts": "written: a row per number"}
    )

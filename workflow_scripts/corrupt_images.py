"""Corrupt part of the test split at several severities, or read it corrupted as published."""

from selfdoubt.data import corrupted, counts, datasets, shifted
from selfdoubt.runtime import cli, schemas


def run(arguments):
    settings, test = arguments.settings, datasets.read_split(arguments.test, "test")
    if settings.source == "built-in":
        found = corrupted.corrupt(test, settings.name, settings.severities, settings.n_images)
    else:
        class_names = counts.class_names(schemas.read_table(arguments.counts, schemas.SCHEMAS["data"]))
        found = shifted.corrupted(settings, test, class_names)
    datasets.write_splits(arguments.output, found, cli.without_paths(arguments.metadata))


if __name__ == "__main__":
    files = {"test": "the test split", "counts": "of the data set", "output": "written: a split for each severity"}
    cli.main(run, files)

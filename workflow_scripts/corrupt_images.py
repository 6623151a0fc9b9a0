"""Corrupt part of the test split at several severities, or read it corrupted as published."""

from selfdoubt.data import corruptions, datasets
from selfdoubt.data.sources import counts, shifted
from selfdoubt.runtime import cli, schemas, shared_data
from selfdoubt.settings import published


def run(arguments):
    settings, sources = arguments.settings, [arguments.test, arguments.counts]
    if settings.source != "built-in":
        sources += published.shifted_files(settings.source, settings.name)
    known = cli.without_paths(arguments.metadata)

    def make(paths):
        datasets.write_splits(paths[0], corrupted(arguments), known)

    shared_data.provide([arguments.output], arguments.store, arguments.metadata, sources, make)


def corrupted(arguments) -> dict[str, datasets.Split]:
    settings, test = arguments.settings, datasets.read_split(arguments.test, "test")
    if settings.source == "built-in":
        return corruptions.corrupt(test, settings.name, settings.severities, settings.n_images, seed=0)
    class_names = counts.class_names(schemas.read_table(arguments.counts, schemas.SCHEMAS["data"]))
    return shifted.corrupted(settings, test, class_names)


if __name__ == "__main__":
    files = {"test": "the test split", "counts": "of the data set", "store": "the folder of what runs share; written"}
    cli.main(run, files | {"output": "written: a split for each severity"})

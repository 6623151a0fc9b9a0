"""Corrupt part of the test split at several severities, or read it corrupted as published."""

from selfdoubt.data import corrupted, counts, datasets, shifted, survey
from selfdoubt.runtime import cli, shared_data, table_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA


def run(arguments):
    def make(paths):
        datasets.write_splits(paths[0], corrupt(arguments), cli.without_paths(arguments.metadata))

    sources = [arguments.test, *arguments.sources]  # counts come from the job that made the split
    shared_data.provide([arguments.output], arguments.store, arguments.metadata, sources, make)


def corrupt(arguments) -> dict[str, datasets.Split]:
    settings, test = arguments.settings, datasets.read_split(arguments.test, "test")
    if settings.source == "built-in":
        channels, size_px = test.images.shape[1:3]
        survey.check_memory(settings.n_images, channels, size_px, settings.max_gb, "set n_images of corruptions")
        return corrupted.corrupt(test, settings.name, settings.severities, settings.n_images)
    class_names = counts.class_names(table_files.read_table(arguments.counts, COUNTS_SCHEMA))
    return shifted.corrupted(settings, test, class_names)


if __name__ == "__main__":
    files = {"test": "the test split", "counts": "of the data set", "store": "the folder of what runs share; written"}
    files |= {"sources": "files and folders that it is made from"}
    cli.main(run, files | {"output": "written: a split for each severity"}, several=("sources",), listed=("sources",))

"""Record what the images of each data set are known by: a digest of ids, labels and pixels of each split."""

from selfdoubt.data import content, datasets
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.data import DATA_SCHEMA


def run(arguments):
    pairs = zip(arguments.settings.datasets, arguments.splits, strict=True)
    rows = [content.row(name, *split) for name, path in pairs for split in datasets.each(path)]
    table_files.write_rows(arguments.output, rows, DATA_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"splits": "files of images, in the order of `datasets` of the settings", "output": "written"}
    cli.main(run, files, several=("splits",), listed=("splits",))

"""Measure how far the labels of mixed images are from the visible fractions of their objects."""

from selfdoubt.data import datasets, own_images
from selfdoubt.runtime import cli, devices, methods, randomness, table_files
from selfdoubt.runtime.schemas.mixed_labels import MIXED_LABELS_SCHEMA
from selfdoubt.segmentation import label_error


def run(arguments):
    devices.prepare("cpu", threads=1)
    settings, seed = arguments.settings, randomness.seed_of(arguments)
    train, _ = own_images.read_train(arguments.train, settings, arguments.replicate)
    truth = datasets.foreground(train, settings.mask_truth) if settings.mask_truth != "none" else None
    rows = label_error.measure(train, truth, methods.load("mixing", "mixer").of_job(arguments, train), settings, seed)
    table_files.write_rows(arguments.output, rows, MIXED_LABELS_SCHEMA, arguments.metadata)


if __name__ == "__main__":
    files = {"train": "the training split", "masks": "of its images by a segmenter, where they are mixed by those"}
    cli.main(run, files | {"output": "written: a table"}, several=("masks",), replicated=True)

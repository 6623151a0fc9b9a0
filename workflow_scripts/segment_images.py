"""Predict the object mask of every training image."""

from selfdoubt.data import datasets, masks
from selfdoubt.runtime import cli, devices
from selfdoubt.segmentation import segmenter


def run(arguments):
    settings, train = arguments.settings, datasets.read_split(arguments.train, "train")
    network = segmenter.load_segmenter(arguments.network, devices.prepare(settings.device, settings.threads))
    masks.write_masks(arguments.masks, segmenter.segment(network, train.images), arguments.metadata)


if __name__ == "__main__":
    cli.main(run, {"train": "the training split", "network": "the segmenter", "masks": "written"}, computes=True)

"""Predict the object mask of every training image, or of those of a replicate."""

from selfdoubt.data import masks, own_images
from selfdoubt.runtime import cli, devices
from selfdoubt.segmentation import segmenter


def run(arguments):
    settings = arguments.settings
    train, _ = own_images.read_train(arguments.train, settings, getattr(settings, "replicate", 0))
    network = segmenter.load_segmenter(arguments.network, devices.prepare(settings.device, settings.threads))
    found = segmenter.segment(network, train.images, getattr(settings, "dilate_px", 0))
    masks.write_masks(arguments.masks, found, arguments.metadata)


if __name__ == "__main__":
    cli.main(run, {"train": "the training split", "network": "the segmenter", "masks": "written"}, computes=True)

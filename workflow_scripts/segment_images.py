"""Predict the object mask of every training image, or of those of a replicate."""

from selfdoubt.data import masks, own_images
from selfdoubt.runtime import cli, devices
from selfdoubt.segmentation import segmenter


def run(arguments):
    settings = arguments.settings
    train, _ = own_images.read_train(arguments.train, settings, getattr(settings, "replicate", 0))
    network = segmenter.load_segmenter(arguments.network, devices.prepare(settings.device, settings.threads))
    found, confidence = segmenter.segment_with_confidence(network, train.images, getattr(settings, "dilate_px", 0))
    least = getattr(settings, "min_confidence", None)
    if least is None:
        masks.write_masks(arguments.masks, found, arguments.metadata)
    else:
        masks.write_masks(arguments.masks, found, arguments.metadata | {"min_confidence": least}, confidence)


if __name__ == "__main__":
    cli.main(run, {"train": "the training split", "network": "the segmenter", "masks": "written"}, computes=True)

"""Predict the object mask of every training image."""

from selfdoubt import commands, datasets, devices, masks, segmentation


def run(arguments):
    settings, train = arguments.settings, datasets.read_split(arguments.train, "train")
    network = segmentation.load_segmenter(arguments.network, devices.prepare(settings.device, settings.threads))
    masks.write_masks(arguments.masks, segmentation.segment(network, train.images), arguments.metadata)


if __name__ == "__main__":
    commands.main(run, {"train": "the training split", "network": "the segmenter", "masks": "written"}, computes=True)

"""Draw images with their masks."""

import numpy as np

from selfdoubt.data import datasets, masks
from selfdoubt.figures import plots
from selfdoubt.runtime import cli


def run(arguments):
    settings, n = arguments.settings.figure, arguments.settings.figure.n_images
    train = datasets.read_split(arguments.train, "train")
    split = datasets.take(train, np.arange(min(n, len(train.labels))))
    if arguments.settings.mask_truth == "none":
        name, reference = "pseudo-mask", masks.read_masks(arguments.pseudo_masks)[:n]
    else:
        name, reference = "truth", datasets.foreground(split, arguments.settings.mask_truth)
    gallery = plots.MaskGallery(split.images[:], reference, masks.read_masks(arguments.masks)[:n], name)
    plots.save(plots.mask_gallery(gallery, settings), arguments.figure)


if __name__ == "__main__":
    files = {"train": "the training split", "masks": "of its images", "pseudo-masks": "what they were learned from"}
    cli.main(run, files | {"figure": "written, in the format of each suffix"}, several=("figure",))

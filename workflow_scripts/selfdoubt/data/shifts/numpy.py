"""Re-collected test sets, such as CIFAR-10.1 (Recht et al. 2018) and CIFAR-10.2 (Lu et al. 2020), as arrays.

X_data.npy with X_labels.npy beside it, or X.npz with the arrays `images` and `labels`.
"""

from selfdoubt.data import arrays
from selfdoubt.data.raw import Pool
from selfdoubt.settings.shifts import numpy as facts


def find(place: str, class_names: list[str]) -> Pool:
    """Return the images with their labels, which are in the order of the data set's."""
    images, labels = facts.images_and_labels(place)
    return Pool(arrays.read_images(images), arrays.read_labels(labels))

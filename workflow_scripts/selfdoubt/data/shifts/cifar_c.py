"""CIFAR-10-C and CIFAR-100-C (Hendrycks & Dietterich 2019): arrays NAME.npy of five severities in turn, labels.npy."""

from pathlib import Path

from selfdoubt.data import arrays
from selfdoubt.data.raw import Pool
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.shifts import cifar_c as facts

N_SEVERITIES = 5


def find(place: str, class_names: list[str], name: str, severity: int) -> Pool:
    """Return the images of one corruption at one severity; the labels are of the data set that was corrupted."""
    path, labels_path = map(Path, facts.files_of(place, name))
    images, labels = arrays.read_images(path), arrays.read_labels(labels_path)
    if len(images) != len(labels) or len(images) % N_SEVERITIES:
        found = f"{len(images)} images and {len(labels)} labels"
        raise UserError(f"{path}: {found}, expected as many of each for {N_SEVERITIES} severities; fetch it again")
    n = len(images) // N_SEVERITIES
    rows = slice((severity - 1) * n, severity * n)
    return Pool(images[rows], labels[rows])

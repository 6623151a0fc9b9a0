"""Labelled test sets that differ from the training images: corrupted ones as published, and re-collected ones.

CIFAR-10-C and CIFAR-100-C (Hendrycks & Dietterich 2019) are read as arrays NAME.npy of five severities in turn, with
labels.npy; ImageNet-C as folders NAME/SEVERITY/CLASS of files. Names are written with "-" in a config, with "_" there.
Re-collected sets, such as CIFAR-10.1 (Recht et al. 2018) and CIFAR-10.2 (Lu et al. 2020), are read as X_data.npy with
X_labels.npy beside it, or as X.npz with the arrays images and labels.
"""

import zipfile
from pathlib import Path

import numpy as np

from selfdoubt.data import decoding
from selfdoubt.data.corruptions import balanced_subset
from selfdoubt.data.datasets import Split, take
from selfdoubt.data.sources import folders, survey
from selfdoubt.data.sources.raw import Encoded
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.randomness import generator
from selfdoubt.settings import published

N_SEVERITIES = 5


def corrupted(settings, test: Split, class_names: list[str]) -> dict[str, Split]:
    """Return {"NAME-SEVERITY": images} of one published corruption, in the shape of the test images.

    settings: source ("cifar-c:PATH" or "imagenet-c:PATH"), name, severities and n_images (None: all; the same of every
    corruption). class_names: of the data set, in the order of its labels.
    Raises UserError if the files are not there, or are not of these classes.
    """
    kind, _, place = settings.source.partition(":")
    found = {}
    for severity in settings.severities:
        split = PUBLISHED[kind](Path(place).expanduser(), settings, severity, test, class_names)
        found[f"{settings.name}-{severity}"] = split
    return found


def recollected(source: str, like: Split, n_classes: int) -> Split:
    """Return a re-collected test set, in the shape of the data set's own images.

    source: "numpy:PATH". Raises UserError if it is not whole, or if a label is not one of n_classes.
    """
    path = Path(source.partition(":")[2]).expanduser()
    images_file, labels_file = published.numpy_files(path)
    images = _array(images_file, "images")
    labels = _array(labels_file, "labels").astype(np.int64)
    return _split(path, _channels_first(path, images), labels, like, n_classes, None)


def _cifar_c(root: Path, settings, severity: int, test: Split, class_names: list[str]) -> Split:
    path = root / f"{settings.name.replace('-', '_')}.npy"
    images, labels = _array(path, "images"), _array(root / "labels.npy", "labels").astype(np.int64)
    if len(images) != len(labels) or len(images) % N_SEVERITIES:
        raise UserError(f"{path}: {len(images)} images and {len(labels)} labels are not {N_SEVERITIES} severities")
    n = len(images) // N_SEVERITIES
    rows = slice((severity - 1) * n, severity * n)
    own = _channels_first(path, images[rows])
    return _split(path, own, labels[rows], test, len(class_names), settings.n_images)


def _imagenet_c(root: Path, settings, severity: int, test: Split, class_names: list[str]) -> Split:
    place = root / settings.name.replace("-", "_") / str(severity)
    published.files_of(f"folder:{place}", root)  # is it there?
    folders.check_link(place.parent, root)
    names = folders.list_images(root, place, [])
    classes = [Path(name).parts[2] for name in names]  # NAME/SEVERITY/CLASS/…
    strangers = set(classes) - set(class_names)
    if strangers or not names:
        raise UserError(f"{place}: {sorted(strangers)[:1] or 'no image'} is not of the data set's classes")
    labels = np.array([class_names.index(name) for name in classes], np.int64)
    encoded = Encoded(lambda i: (root / names[i]).read_bytes(), names, root)
    return _split(place, encoded, labels, test, len(class_names), settings.n_images)


def _split(path: Path, images, labels: np.ndarray, like: Split, n_classes: int, n_images: int | None) -> Split:
    if len(images) != len(labels):
        raise UserError(f"{path}: {len(images)} images and {len(labels)} labels; they must be as many")
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= n_classes:
        raise UserError(f"{path}: labels are not 0 to {n_classes - 1}, the data set's; is it made for another one?")
    rows = np.arange(len(labels))
    if n_images is not None:
        rows = balanced_subset(labels, n_images, generator(0, "corrupted-images"))
    channels, size_px = like.images.shape[1:3]
    if isinstance(images, Encoded):
        own = survey.read(images.rows(rows), channels, size_px, resize=True).images
        return Split(own, labels[rows], rows.astype(np.int32))
    whole = Split(images, labels, np.arange(len(labels), dtype=np.int32))
    chosen = take(whole, rows)
    return Split(decoding.fit(chosen.images, channels, size_px), chosen.labels, chosen.image_ids)


def _array(path: Path, key: str) -> np.ndarray:
    """Return a .npy file mapped into memory, or the array `key` of an .npz; nothing is unpickled."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        return found if isinstance(found, np.ndarray) else found[key]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; put the published files there") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: not a whole file of {key} ({error}); fetch it again") from None


def _channels_first(path: Path, images: np.ndarray) -> np.ndarray:
    if images.ndim != 4 or images.shape[3] not in (1, 3) or images.dtype != np.uint8:
        raise UserError(f"{path}: images are {images.dtype} {images.shape}, expected uint8 (n, H, W, 1 or 3)")
    return images.transpose(0, 3, 1, 2)


PUBLISHED = {"cifar-c": _cifar_c, "imagenet-c": _imagenet_c}  # f(root, settings, severity, test, class_names) -> Split

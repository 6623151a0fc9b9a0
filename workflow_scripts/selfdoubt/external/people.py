"""Labels that many people gave the same images: how many, or which fraction of them, gave each class."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selfdoubt.data import datasets
from selfdoubt.data.label_probabilities import fractions
from selfdoubt.evaluation.predictions import Predictions, order_of_ids
from selfdoubt.runtime.errors import UserError


@dataclass(frozen=True, eq=False)
class PeoplesLabels:
    """The fraction of people who gave each class, of each image."""

    path: Path
    fractions: np.ndarray  # (n, K), rows of sum 1
    image_ids: np.ndarray | None  # (n,), ascending; None: row i is of the image i of the test images


def read(path: Path) -> PeoplesLabels:
    """Read counts or fractions (n, K): an .npy, an .npz of one array besides `image_id`, or a prepared test split.

    Raises UserError that names the file.
    """
    if path.suffix == ".safetensors":
        return _of_split(path)
    arrays = _arrays(path)
    ids = arrays.pop("image_id", None)
    if len(arrays) != 1:
        raise UserError(f"{path}: has {len(arrays)} arrays besides image_id; give one, of counts (images, classes)")
    counts = next(iter(arrays.values()))
    shares = fractions(counts, path)
    if ids is None:
        return PeoplesLabels(path, shares, None)
    if ids.shape != (len(counts),):
        raise UserError(f"{path}: has {len(counts):,} rows, and image_id is of shape {ids.shape}; give each row one")
    order = order_of_ids(ids, str(path))
    return PeoplesLabels(path, shares, ids) if order is None else PeoplesLabels(path, shares[order], ids[order])


def _of_split(path: Path) -> PeoplesLabels:
    split = datasets.read_split(path, "test")
    if split.label_probabilities is None:
        what = "soft_labels: given, but no label_probabilities came with the test images"
        raise UserError(f"{path}: {what}; add them to the source, or remove soft_labels of the data set")
    order = np.argsort(split.image_ids)
    return PeoplesLabels(path, fractions(split.label_probabilities[order], path), split.image_ids[order])


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        found = np.load(path, allow_pickle=False)
        return {"counts": found} if isinstance(found, np.ndarray) else dict(found)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise UserError(f"{path}: not readable as NumPy's .npy or .npz: {error}") from None


def of_test(people: PeoplesLabels, predictions: dict[str, Predictions], where: object) -> np.ndarray:
    """Return the fractions (n, K) of the test images of an arm, by image id or, without ids, by their order.

    where: the arm, for messages. Raises UserError if they are of other images, have other classes, or agree with the
    labels less often than half-way between an order by chance and always.
    """
    test = predictions["test"]
    width = None if test.logits is None else test.logits.shape[1]
    if width not in (None, people.fractions.shape[1]):
        raise UserError(f"{people.path}: has {people.fractions.shape[1]} classes, and {where} has {width}")
    if test.labels.max(initial=0) >= people.fractions.shape[1]:
        raise UserError(
            f"{people.path}: has {people.fractions.shape[1]} classes, and {where} label {test.labels.max()}"
        )
    found = people.fractions[_rows(people, predictions, where)]
    _check_labels(people.path, found.argmax(1), test.labels, where)
    return found


def _rows(people: PeoplesLabels, predictions: dict[str, Predictions], where: object) -> np.ndarray:
    ids = predictions["test"].image_ids
    if people.image_ids is not None:
        wanted, known = (
            (ids, people.image_ids) if ids.dtype.kind == people.image_ids.dtype.kind else _texts(ids, people)
        )
        if len(alone := np.setdiff1d(wanted, known)):
            raise UserError(f"{people.path}: has no image_id {alone[0]}, which {where} has; give a row for each image")
        order = np.argsort(known)
        return order[np.searchsorted(known, wanted, sorter=order)]
    n = len(people.fractions)
    of_file = _ids_of_file(predictions, n)
    if ids.dtype.kind not in "iu" or not np.array_equal(of_file, np.arange(n)):
        what = f"has {n:,} rows, and {where} {len(of_file):,} test images"
        raise UserError(f"{people.path}: {what}; give one row for each in their order, or an array image_id")
    return ids


def _texts(ids: np.ndarray, people: PeoplesLabels) -> tuple[np.ndarray, np.ndarray]:
    return ids.astype(str), people.image_ids.astype(str)


def _ids_of_file(predictions: dict[str, Predictions], n: int) -> np.ndarray:
    """Return the ids of the test images, together with those drawn from them for val if the file has more rows."""
    ids = predictions["test"].image_ids
    if len(ids) == n or "val" not in predictions:
        return ids
    return np.union1d(ids, predictions["val"].image_ids)


def _check_labels(path: Path, most: np.ndarray, labels: np.ndarray, where: object) -> None:
    """Raise UserError where agreement is nearer to that of an order by chance than to 1."""
    n_classes = max(most.max(), labels.max()) + 1
    chance = (np.bincount(most, minlength=n_classes) @ np.bincount(labels, minlength=n_classes)) / len(labels) ** 2
    agreement = (most == labels).mean()
    if agreement < (1 + chance) / 2:
        what = f"the class that most people gave is the label of {agreement:.1%} of the images of {where}"
        raise UserError(f"{path}: {what}; give the images' order, or set own_order: true of predictions in another")

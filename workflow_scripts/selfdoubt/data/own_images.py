"""The training images of one replicate: a part of the training split in the proportions of its classes, by name.

The split is put in one order in which each stretch has about the proportions of the whole, and replicate r takes the
r-th stretch. So it depends only on its number and its size, no class is used up before the others, and no image is in
two replicates; with overlapping draws, each has an order of its own. Prepared data stays whole: a job takes its rows.
"""

from pathlib import Path

import numpy as np

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.data.folds import parts_of
from selfdoubt.data.splitting import balanced_order
from selfdoubt.runtime.errors import UserError


def read_train(path: str | Path, settings, replicate: int) -> tuple[Split, dict[str, int]]:
    """Return the training images of a model, and the shape (`datasets.shape_of`) of the split that they are from.

    settings: of the job; where they are there, `own_images` of the replicate has `kind` and `n_images`, and `fold` the
    `parts` and `division` of these images, and the `part` that the model leaves out. Raises UserError as `positions`.
    """
    train, shape = _of_replicate(path, settings, replicate)
    rows = _rows_of_fold(train.labels, settings, replicate)
    return (train if rows is None else datasets.take(train, rows)), shape


def held_out(path: str | Path, settings, replicate: int, folds: list) -> np.ndarray:
    """Return which of a model's training images each of some folds leaves out: bool (folds, n).

    settings: of the model's job, as of `read_train`. folds: with `parts`, `division` and `part`.
    """
    labels = _of_replicate(path, settings, replicate)[0].labels
    rows = _rows_of_fold(labels, settings, replicate)
    found = np.stack([parts_of(labels, replicate, fold.parts, fold.division) == fold.part for fold in folds])
    return found if rows is None else found[:, rows]


def _of_replicate(path: str | Path, settings, replicate: int) -> tuple[Split, dict[str, int]]:
    train = datasets.read_split(path, "train")
    shape, own = datasets.shape_of(train), getattr(settings, "own_images", None)
    if own is not None:
        train = datasets.take(train, positions(train.labels, replicate, **vars(own)))
    return train, shape


def _rows_of_fold(labels: np.ndarray, settings, replicate: int) -> np.ndarray | None:
    """Return where the images that a fold is trained on are among a replicate's, None where it is no fold."""
    fold = getattr(settings, "fold", None)
    if fold is None:
        return None
    return np.flatnonzero(parts_of(labels, replicate, fold.parts, fold.division) != fold.part)


def positions(labels: np.ndarray, replicate: int, kind: str, n_images: int) -> np.ndarray:
    """Return where a replicate's images are in a training split, ascending.

    labels: (n,) of the split. kind: "disjoint", those of no other replicate, or "overlapping", drawn from all and
    independently of the others. Raises UserError if there are not as many.
    """
    disjoint = kind == "disjoint"
    place, key = replicate - 1 if disjoint else 0, "datasets: train_images_per_replicate"
    if not disjoint and n_images >= len(labels):
        why = f"{n_images} of {len(labels)} training images, so that draws are no draws"
        raise UserError(f"{key}: {why}; lower it, or leave it and overlapping_draws out")
    if (place + 1) * n_images > len(labels):
        found = f"{len(labels)} training images give {len(labels) // n_images} replicates of {n_images}"
        remedy = "lower it, or set overlapping_draws: true beside it"
        raise UserError(f"{key}: {found}, and this is replicate {replicate}; {remedy}")
    order = (
        balanced_order(labels, 0, "disjoint-images") if disjoint else balanced_order(labels, replicate, "drawn-images")
    )
    return np.sort(order[place * n_images : (place + 1) * n_images])

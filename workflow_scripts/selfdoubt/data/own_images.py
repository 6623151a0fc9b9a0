"""The training images of one replicate: a part of the training split in the proportions of its classes, by name.

The split is put in one order in which each stretch has about the proportions of the whole, and replicate r takes the
r-th stretch. So it depends on nothing but its number and its size, no class is used up before the others, and images
are in no two replicates. Prepared data stays whole: a job takes its rows.
"""

from pathlib import Path

import numpy as np

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.data.splitting import balanced_order
from selfdoubt.runtime.errors import UserError


def read_train(path: str | Path, settings, replicate: int) -> tuple[Split, dict[str, int]]:
    """Return the training images of a replicate, and the shape (`datasets.shape_of`) of the split that they are from.

    settings: of the job; `own_images`, where it is there, has `kind` and `n_images`. Raises UserError as `positions`.
    """
    train = datasets.read_split(path, "train")
    shape, own = datasets.shape_of(train), getattr(settings, "own_images", None)
    if own is not None:
        train = datasets.take(train, positions(train.labels, replicate, **vars(own)))
    return train, shape


def positions(labels: np.ndarray, replicate: int, kind: str, n_images: int) -> np.ndarray:
    """Return where a replicate's images are in a training split, ascending.

    labels: (n,) of the split. kind: "disjoint", those of no other replicate, or "overlapping", drawn from all and
    independently of the others. Raises UserError if there are not as many.
    """
    disjoint = kind == "disjoint"
    place = replicate - 1 if disjoint else 0
    if (place + 1) * n_images > len(labels):
        found = f"{len(labels)} training images give {len(labels) // n_images} replicates of {n_images}"
        remedy = "lower it, or set overlapping_draws: true beside it" if disjoint else "lower it"
        raise UserError(f"datasets: train_images_per_replicate: {found}, and this is replicate {replicate}; {remedy}")
    order = (
        balanced_order(labels, 0, "disjoint-images") if disjoint else balanced_order(labels, replicate, "drawn-images")
    )
    return np.sort(order[place * n_images : (place + 1) * n_images])

"""Checks that a segmenter's masks are nearer to the true ones than one box in the middle of every image.

Each replicate has one difference, its mean IoU minus that of the box, from its table of mask quality. Where replicates
have training images of their own, the choice of images is part of what varies over replicates. Where they share them,
the part of the image variance that all replicates share is not known, so its upper limit is taken: all of it.
"""

from collections.abc import Iterator

import numpy as np

from selfdoubt.evaluation.claims import Component
from selfdoubt.evaluation.comparisons import Compared, Quantity
from selfdoubt.evaluation.contrast_rows import rows_of
from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.settings.metrics import margin

QUANTITY: Quantity = ("mask-iou", "none", "train")
_READ = ("iou", "centred-box-iou", "iou-above-box-error")  # statistics of MASK_QUALITY


def compare_masks(tables: list[list[dict]], settings) -> list[dict]:
    """Return the rows of the table "contrasts" of settings.mask_checks, if there are any.

    tables: rows of MASK_QUALITY, of a check's replicates one after another, checks in their order. settings: with
    `overlap`, of the training sets of two replicates, as a fraction.
    """
    left, rows = iter(tables), []
    for check in getattr(settings, "mask_checks", []):
        rows += rows_of(_component(check, left, settings.overlap), check.study, check.name)
    return rows


def _component(check, tables: Iterator[list[dict]], overlap: float) -> Component:
    compared = _compared([next(tables) for _ in range(check.n_replicates)], check.disjoint, overlap)
    smallest = margin(QUANTITY[0], 0.0) if check.margin is None else check.margin
    return Component(check.dataset, *check.pairs[0], QUANTITY, compared, smallest, (None, None))


def _compared(tables: list[list[dict]], disjoint: bool, overlap: float) -> Compared:
    rows = [{row["statistic"]: row for row in table if row["stage"] == "mask"} for table in tables]
    found = [[of[statistic] for statistic in _READ] for of in rows]
    if missing := [row["reason"] for each in found for row in each if row["value"] is None]:
        return Compared(len(tables), reason=missing[0])
    iou, box, error = np.array([[row["value"] for row in each] for each in found]).T  # (replicates,) each
    images = float(np.mean(error**2))
    n_images = min(row["n"] for each in found for row in each)
    contrast = Contrast(tuple((iou - box).tolist()), images, 0.0 if disjoint else images, n_images, overlap)
    if not contrast.error() > 0:
        return Compared(len(tables), None, contrast.difference, float(box.mean()), "nothing varies")
    return Compared(len(tables), contrast, contrast.difference, float(box.mean()))

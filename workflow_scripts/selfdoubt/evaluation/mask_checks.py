"""Checks that a segmenter's masks are nearer to the true ones than a centred box, or than what it learned from.

Each replicate has one difference, the mean IoU of its masks minus that of the box or of the pseudo-masks, from its
table of mask quality. Where replicates have training images of their own, the choice of images is part of what varies
over replicates. Where they share them, the part of the image variance that all replicates share is not known, so its
upper limit is taken: all of it. The table has the errors of masks and of pseudo-masks above the box alone: for the
error of their difference its upper limit is taken too, the sum of the two (a standard deviation is a norm).
"""

from collections.abc import Iterator

import numpy as np

from selfdoubt.evaluation.claims import Component
from selfdoubt.evaluation.comparisons import Compared, Quantity
from selfdoubt.evaluation.contrast_rows import rows_of
from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.settings.metrics import margin

QUANTITY: Quantity = ("mask-iou", "none", "train")
_ERROR = "iou-above-box-error"
_READ = {  # stages and statistics of MASK_QUALITY: IoU of masks, IoU of what they are compared with, parts of the error
    "centred-box": [("mask", "iou"), ("mask", "centred-box-iou"), ("mask", _ERROR)],
    "pseudo-masks": [("mask", "iou"), ("pseudo-mask", "iou"), ("mask", _ERROR), ("pseudo-mask", _ERROR)],
}


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
    [(masks, reference)] = check.pairs
    compared = _compared([next(tables) for _ in range(check.n_replicates)], _READ[reference], check.disjoint, overlap)
    smallest = margin(QUANTITY[0], 0.0) if check.margin is None else check.margin
    return Component(check.dataset, masks, reference, QUANTITY, compared, smallest, (None, None))


def _compared(tables: list[list[dict]], read: list[tuple], disjoint: bool, overlap: float) -> Compared:
    rows = [{(row["stage"], row["statistic"]): row for row in table} for table in tables]
    found = [[of[place] for place in read] for of in rows]
    if missing := [row["reason"] for each in found for row in each if row["value"] is None]:
        return Compared(len(tables), reason=missing[0])
    iou, reference, *errors = np.array([[row["value"] for row in each] for each in found]).T  # (replicates,) each
    images = float(np.mean(np.sum(errors, 0) ** 2))
    n_images = min(row["n"] for each in found for row in each)
    contrast = Contrast(tuple((iou - reference).tolist()), images, 0.0 if disjoint else images, n_images, overlap)
    if not contrast.error() > 0:
        return Compared(len(tables), None, contrast.difference, float(reference.mean()), "nothing varies")
    return Compared(len(tables), contrast, contrast.difference, float(reference.mean()))

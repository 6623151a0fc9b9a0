"""How good object masks are, compared with the true ones where these are known."""

import numpy as np

from selfdoubt.data.mask_counts import warning_of
from selfdoubt.runtime.errors import UserError

ALLOWED_EMPTY_OR_FULL = 0.5  # of a segmenter's masks, unless its settings state another fraction


def unusable(masks: np.ndarray) -> np.ndarray:
    """Return which masks, bool (n, H, W), hold no object or nothing else, (n,)."""
    return ~masks.any((1, 2)) | masks.all((1, 2))


def check_usable(masks: np.ndarray, allowed: float | None, place: str, picture: str) -> None:
    """Raise UserError if more than a fraction `allowed` of masks, bool (n, H, W), are empty or full.

    allowed: None: ALLOWED_EMPTY_OR_FULL. place: of the masks. picture: where some of them are shown.
    """
    allowed, n = ALLOWED_EMPTY_OR_FULL if allowed is None else allowed, len(masks)
    n_unusable, n_empty = int(unusable(masks).sum()), int((~masks.any((1, 2))).sum())
    if n_unusable > allowed * n:
        found = f"{n_empty:,} of {n:,} masks are empty and {n_unusable - n_empty:,} full, more than {allowed:.0%}"
        remedy = "train the segmenter longer or on a better teacher, or set its allowed_empty_or_full"
        raise UserError(f"{place}: {found}; see {picture}; {remedy}")


def quality_rows(
    stage: str, masks: np.ndarray, truth: np.ndarray | None, pseudo: np.ndarray | None = None
) -> list[dict]:
    """Return rows of MASK_QUALITY: how good masks are, as means over the images.

    iou: intersection over union of mask and truth, 1 where both are empty. recall: fraction of the truth's pixels that
    the mask covers, over images with some; precision: fraction of the mask's that are the truth's, over masks with
    some. centred-box-iou: the iou of one box in the middle of every image, as large as the true masks on average.
    iou-above-box-error: standard error of the mean difference of the two, over images. pixel-accuracy: fraction of
    pixels that equal the truth's. foreground-fraction: fraction of pixels that are object. empty, full: numbers of
    such masks.
    Where `pseudo` is given: pseudo-mask-recall, the fraction of the pixels annotated as object that the mask covers, a
    mean over images that have some, and where the truth is not known centred-box-recall, the same of a box as large as
    the masks on average. An IoU would need the pixels annotated as background, which are not stored.
    The row `empty` has a warning if there are too many of either kind, and those of iou and pseudo-mask-recall if they
    are no higher than the box's.

    stage: "pseudo-mask" (of its pixels annotated as object) or "mask". masks: bool (n, H, W). truth: the same, or None
    if it is not known; statistics that need it then have value null and a reason. pseudo: the same, of pixels annotated
    as object, from which the masks were learned.
    """
    n, counts = len(masks), masks.sum((1, 2))
    measured, warnings = _against_truth(masks, truth if n else None)
    if pseudo is not None and pseudo.any():
        measured["pseudo-mask-recall"] = mean_recall(masks, pseudo)
    if truth is None and pseudo is not None and pseudo.any():
        measured["centred-box-recall"] = mean_recall(centred_box(masks.shape[1:], masks.mean()), pseudo)
        if measured["pseudo-mask-recall"] <= measured["centred-box-recall"]:
            warnings["pseudo-mask-recall"] = (
                "no nearer to the pseudo-masks that they were learned from than one box in the middle of every image"
            )
    measured["foreground-fraction"] = masks.mean() if n else None
    measured |= {"empty": (counts == 0).sum(), "full": (counts == masks[0].size).sum()} if n else {}
    warnings["empty"] = warning_of(int(measured["empty"]), int(measured["full"]), n) if n else None
    reason = "no images" if n == 0 else "the true masks are not known" if truth is None else "one image, or no object"
    return [
        {
            "stage": stage,
            "statistic": statistic,
            "value": None if value is None else float(value),
            "n": n,
            "reason": reason if value is None else None,
            "warning": warnings.get(statistic),
        }
        for statistic, value in measured.items()
    ]


def confidence_rows(masks: np.ndarray, truth: np.ndarray | None, confidence: np.ndarray, least: float) -> list[dict]:
    """Return rows of MASK_QUALITY of the stage "mask", of masks of which some are doubtful.

    confidence: their mean one. doubtful: the number of masks of less than `least`, by which no object is mixed.
    iou-confident: the mean intersection over union of the others.

    masks, truth: as of `quality_rows`. confidence: (n,).
    """
    doubtful = confidence < least
    iou = None if truth is None or doubtful.all() else ious(masks[~doubtful], truth[~doubtful]).mean()
    reason = "the true masks are not known" if truth is None else "no mask is confident"
    known = [("confidence", confidence.mean(dtype=np.float64), None, len(masks))]
    known += [("doubtful", doubtful.sum(), None, len(masks))]
    known += [("iou-confident", iou, reason if iou is None else None, int((~doubtful).sum()))]
    return [
        {
            "stage": "mask",
            "statistic": statistic,
            "value": None if value is None else float(value),
            "n": n,
            "reason": why,
            "warning": None,
        }
        for statistic, value, why, n in known
    ]


def _against_truth(masks: np.ndarray, truth: np.ndarray | None) -> tuple[dict, dict]:
    """Return the statistics that need the true masks, and warnings; None without these, and where there is nothing."""
    names = ("iou", "recall", "precision", "centred-box-iou", "iou-above-box-error", "pixel-accuracy")
    measured = dict.fromkeys(names)
    if truth is None:
        return measured, {}
    box = centred_box(masks.shape[1:], truth.mean())
    of_masks, of_box = ious(masks, truth), ious(box, truth)
    measured |= {"iou": float(of_masks.mean()), "centred-box-iou": float(of_box.mean())}
    measured["recall"] = mean_recall(masks, truth) if truth.any() else None
    measured["precision"] = mean_recall(truth, masks) if masks.any() else None
    if len(masks) > 1:
        measured["iou-above-box-error"] = (of_masks - of_box).std(ddof=1) / np.sqrt(len(masks))
    measured["pixel-accuracy"] = (masks == truth).mean()
    near = measured["iou"] > measured["centred-box-iou"]
    return measured, {} if near else {"iou": "no nearer to the true masks than one box in the middle of every image"}


def ious(masks: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the intersection over union of each image, (n,).

    masks: bool (n, H, W), or (H, W) for all. truth: (n, H, W).
    """
    union = (masks | truth).sum((1, 2))
    return np.where(union == 0, 1.0, (masks & truth).sum((1, 2)) / np.maximum(union, 1))


def mean_recall(masks: np.ndarray, annotated: np.ndarray) -> float:
    """Return the mean fraction of annotated pixels that masks cover; shapes as in `ious`; some image must have some."""
    some = annotated[annotated.any((1, 2))]
    covering = masks if masks.ndim == 2 else masks[annotated.any((1, 2))]
    return float(((covering & some).sum((1, 2)) / some.sum((1, 2))).mean())


def centred_box(size: tuple[int, int], fraction: float) -> np.ndarray:
    """Return a box in the middle of an image, of its proportions and about a fraction of its area; bool (H, W)."""
    rows, columns = (np.abs(np.arange(n) - (n - 1) / 2) < n * np.sqrt(fraction) / 2 for n in size)
    return rows[:, None] & columns

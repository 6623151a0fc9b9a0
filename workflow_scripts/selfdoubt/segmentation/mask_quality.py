"""How good object masks are, compared with the true ones where these are known."""

import numpy as np

from selfdoubt.data.mask_counts import warning_of


def quality_rows(
    stage: str, masks: np.ndarray, truth: np.ndarray | None, pseudo: np.ndarray | None = None
) -> list[dict]:
    """Return rows of MASK_QUALITY: how good masks are, as means over the images.

    iou: intersection over union of mask and truth, 1 where both are empty. centred-box-iou: the same of one box in the
    middle of every image, as large as the true masks on average. iou-above-box-error: standard error of the mean
    difference of the two, over images. pixel-accuracy: fraction of pixels that equal the
    truth's. foreground-fraction: fraction of pixels that are object. empty, full: numbers of such masks.
    Where the truth is not known, and `pseudo` is given: pseudo-mask-recall, the fraction of the pixels annotated as
    object that the mask covers, a mean over images that have some, and centred-box-recall, the same of a box as large
    as the masks on average. An IoU would need the pixels annotated as background, which are not stored.
    A row of empty masks has a warning if there are too many of either kind, and those of iou and recall if the box does
    as well.

    stage: "pseudo-mask" (of its pixels annotated as object) or "mask". masks: bool (n, H, W). truth: the same, or None
    if it is not known; statistics that need it then have value null and a reason. pseudo: the same, of pixels annotated
    as object, from which the masks were learned.
    """
    n, counts = len(masks), masks.sum((1, 2))
    measured, warnings = _against_truth(masks, truth if n else None)
    if truth is None and pseudo is not None and pseudo.any():
        box = centred_box(masks.shape[1:], masks.mean())
        measured |= {"pseudo-mask-recall": mean_recall(masks, pseudo), "centred-box-recall": mean_recall(box, pseudo)}
        if measured["pseudo-mask-recall"] <= measured["centred-box-recall"]:
            warnings["pseudo-mask-recall"] = (
                "no nearer to the pseudo-masks that they were learned from than one box in the middle of every image"
            )
    measured["foreground-fraction"] = masks.mean() if n else None
    measured |= {"empty": (counts == 0).sum(), "full": (counts == masks[0].size).sum()} if n else {}
    warnings["empty"] = warning_of(int(measured["empty"]), int(measured["full"]), n) if n else None
    reason = "no images" if n == 0 else "the true masks are not known" if truth is None else "one image"
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


def _against_truth(masks: np.ndarray, truth: np.ndarray | None) -> tuple[dict, dict]:
    """Return the statistics that need the true masks, and warnings; None without these, and the error of one image."""
    measured = {"iou": None, "centred-box-iou": None, "iou-above-box-error": None, "pixel-accuracy": None}
    if truth is None:
        return measured, {}
    box = centred_box(masks.shape[1:], truth.mean())
    of_masks, of_box = ious(masks, truth), ious(box, truth)
    measured |= {"iou": float(of_masks.mean()), "centred-box-iou": float(of_box.mean())}
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
    """Return the mean fraction of annotated pixels that masks cover; shapes as of `ious`, some image has some."""
    some = annotated[annotated.any((1, 2))]
    covering = masks if masks.ndim == 2 else masks[annotated.any((1, 2))]
    return float(((covering & some).sum((1, 2)) / some.sum((1, 2))).mean())


def centred_box(size: tuple[int, int], fraction: float) -> np.ndarray:
    """Return a box in the middle of an image, of its proportions and about a fraction of its area; bool (H, W)."""
    rows, columns = (np.abs(np.arange(n) - (n - 1) / 2) < n * np.sqrt(fraction) / 2 for n in size)
    return rows[:, None] & columns

"""How good object masks are, compared with the true ones where these are known."""

import numpy as np

MOST_EMPTY_OR_FULL = 0.02  # of masks, without a warning: every image of a class shows its object


def quality_rows(stage: str, masks: np.ndarray, truth: np.ndarray | None) -> list[dict]:
    """Return rows of MASK_QUALITY: how good masks are, as means over the images.

    iou: intersection over union of mask and truth, 1 where both are empty. pixel-accuracy: fraction of pixels that
    equal the truth's. foreground-fraction: fraction of pixels that are object. empty, full: numbers of such masks.
    A row of empty masks has the warning, if there are too many of either kind.

    stage: "pseudo-mask" (of its pixels annotated as object) or "mask". masks: bool (n, H, W). truth: the same, or None
    if it is not known; statistics that need it then have value null and a reason.
    """
    n, counts = len(masks), masks.sum((1, 2))
    measured = {"iou": None, "pixel-accuracy": None}
    if truth is not None and n:
        union = (masks | truth).sum((1, 2))
        iou = np.where(union == 0, 1.0, (masks & truth).sum((1, 2)) / np.maximum(union, 1))
        measured = {"iou": iou.mean(), "pixel-accuracy": (masks == truth).mean()}
    measured["foreground-fraction"] = masks.mean() if n else None
    measured |= {"empty": (counts == 0).sum(), "full": (counts == masks[0].size).sum()} if n else {}
    warning = warning_of(int(measured["empty"]), int(measured["full"]), n) if n else None
    reason = "no images" if n == 0 else "the true masks are not known"
    return [
        {
            "stage": stage,
            "statistic": statistic,
            "value": None if value is None else float(value),
            "n": n,
            "reason": reason if value is None else None,
            "warning": warning if statistic == "empty" else None,
        }
        for statistic, value in measured.items()
    ]


def warning_of(n_empty: int, n_full: int, n: int) -> str | None:
    """Return a text if more than MOST_EMPTY_OR_FULL of n masks hold no object or nothing else."""
    if n_empty + n_full <= MOST_EMPTY_OR_FULL * n:
        return None
    counted = f"{n_empty:,} of {n:,} are empty and {n_full:,} full"
    return f"{counted}: {(n_empty + n_full) / n:.1%}, more than {MOST_EMPTY_OR_FULL:.0%}"

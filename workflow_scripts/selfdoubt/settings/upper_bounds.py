"""Which arms are upper bounds, since they use true labels or true masks, and how figures and tables mark them."""

from collections.abc import Iterable

MARK = " (upper bound)"
ORACLE, BEST = "oracle-selector", "best-member"  # of every group, beside its protocols


def marked(label: str, is_bound: bool) -> str:
    """Return an arm's label, with a mark if the arm is an upper bound."""
    return label + MARK if is_bound else label


def has_true_masks(masks: str | None, truths: Iterable[str]) -> bool:
    """Return whether a model's `masks` are the `mask_truth` of any of the data sets."""
    return any(masks == truth or (masks == "truth" and truth != "none") for truth in truths)

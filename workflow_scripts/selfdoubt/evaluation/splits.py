"""What the names of splits mean: out of distribution, mixed, corrupted, or a mean over corrupted splits.

A split CORRUPTION-SEVERITY, such as `gaussian-noise-3`, holds test images at one severity of one corruption. Besides,
CORRUPTION-mean is the mean of a metric over the severities of one corruption, and corrupted-mean over all corrupted
splits. A split ood-NAME@PERCENT holds test images and those of ood-NAME, at that percentage of the latter.
"""

import re

ALL_CORRUPTED = "corrupted-mean"


def is_ood(split: str) -> bool:
    """Return whether a split is out of distribution."""
    return split.startswith("ood-")


def needed_splits(split: str) -> list[str]:
    """Return the splits from which the metrics of `split` are computed: OOD metrics need `test` too, and first."""
    return ["test", split.partition("@")[0]] if is_ood(split) else [split]


def ood_percent(split: str) -> str | None:
    """Return how many percent of a mixed split are out of distribution, as written; None where it is no such split."""
    return split.partition("@")[2] or None


def mixed_splits(splits, percents: list[float]) -> list[str]:
    """Return the names of the mixed splits of all OOD splits; no other split has an @ in its name."""
    return [f"{split}@{percent:g}" for split in splits if is_ood(split) for percent in percents]


def corruption_of(split: str) -> str | None:
    """Return the corruption of a split CORRUPTION-SEVERITY; None where it is no such split."""
    found = None if split.startswith(("ood-", "shifted-")) else re.fullmatch(r"(.+)-\d+", split)
    return found[1] if found else None


def mean_splits(splits) -> dict[str, list[str]]:
    """Return the names of the means over corrupted splits, each with the splits that it averages.

    No split can have such a name: those of corruptions end with a number.
    """
    corrupted = {split: corruption for split in splits if (corruption := corruption_of(split))}
    means = {f"{corruption}-mean": [] for corruption in corrupted.values()}
    for split, corruption in corrupted.items():
        means[f"{corruption}-mean"].append(split)
    return means | ({ALL_CORRUPTED: [*corrupted]} if corrupted else {})

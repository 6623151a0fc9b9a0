"""What a data set is made of, as a table: counts by split and class, conversions, duplicates, ignored files."""

import numpy as np

from selfdoubt.data.datasets import Split
from selfdoubt.data.raw import Raw


def rows(raw: Raw, splits: dict[str, Split], digests: dict[str, np.ndarray], seen: dict) -> list[dict]:
    """Return rows of COUNTS, and print those that are not of a single class.

    digests: (n,) of each split's images. seen: the `survey.Seen` of each pool.
    """
    table = []
    for split, images in splits.items():
        table.append(_row(split, "images", len(images.labels)))
        found = np.bincount(images.labels, minlength=len(raw.class_names))
        for label, count in enumerate(found):
            table.append(_row(split, "images", count, label=label, class_name=raw.class_names[label]))
    table += _duplicates(digests)
    for pool, each in seen.items():
        table += [_row(pool, "converted", n, note=how) for how, n in sorted(each.converted.items())]
    if raw.ignored:
        table.append(_row("all", "ignored files", len(raw.ignored), note=", ".join(sorted(raw.ignored)[:5])))
    for row in table:
        if row["class_name"] is None:
            print(f"{row['split']}: {row['count']} {row['statistic']} {row['note'] or ''}".rstrip(), flush=True)
    return table


def class_names(table) -> list[str]:
    """Return the classes of a table of COUNTS, in the order of their labels."""
    named = {row["label"]: row["class_name"] for row in table.to_pylist() if row["label"] is not None}
    return [named[label] for label in sorted(named)]


def _duplicates(digests: dict[str, np.ndarray]) -> list[dict]:
    """Return how many images of each split equal an earlier one of it, and how many equal a training image."""
    table = []
    for split, found in digests.items():
        table.append(_row(split, "duplicates", len(found) - len(np.unique(found)), note="of another in the split"))
        if split != "train":
            count = np.isin(found, digests["train"]).sum()
            table.append(_row(split, "duplicates", count, note="of a training image"))
    return table


def _row(split: str, statistic: str, count: int, label=None, class_name=None, note=None) -> dict:
    known = {"split": split, "statistic": statistic, "count": int(count), "note": note}
    return known | {"label": label, "class_name": class_name}

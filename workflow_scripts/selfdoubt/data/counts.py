"""What a data set is made of, as a table: counts by split and class, conversions, duplicates, ignored files."""

from collections import Counter

import numpy as np

from selfdoubt.data.raw import Raw

_N_NAMED = 5  # files, of those ignored for one reason


def rows(raw: Raw, labels: dict[str, np.ndarray], digests: dict[str, np.ndarray], converted: dict) -> list[dict]:
    """Return rows of COUNTS.

    labels, digests: (n,) of each split's images. converted: of each pool, how many images by their conversion.
    """
    table = []
    for split, of_split in labels.items():
        table.append(_row(split, "images", len(of_split)))
        found = np.bincount(of_split, minlength=len(raw.class_names))
        for label, count in enumerate(found):
            table.append(_row(split, "images", count, label=label, class_name=raw.class_names[label]))
    table += _duplicates(digests)
    for pool, of_pool in converted.items():
        table += [_row(pool, "converted", n, note=how) for how, n in sorted(of_pool.items())]
    for reason, n in sorted(Counter(raw.ignored.values()).items()):
        names = sorted(name for name, why in raw.ignored.items() if why == reason)
        table.append(_row("all", "ignored files", n, note=f"{reason}: {_some(names)}"))
    if raw.pooled:
        table.append(_row("all", "configurations", len(raw.pooled), note=f"pooled: {_some(raw.pooled)}"))
    return table


def _some(names: list[str]) -> str:
    """Return names, at most _N_NAMED of them, after each other; that of the top folder is empty."""
    shown = [name or "the top folder" for name in names[:_N_NAMED]]
    return ", ".join([*shown, "…"] if len(names) > _N_NAMED else shown)


def show(table: list[dict]) -> None:
    """Print the rows of COUNTS that are not of a single class."""
    for row in table:
        if row["class_name"] is None:
            print(line(row), flush=True)


def line(row: dict) -> str:
    """Return a row of COUNTS as a line to print."""
    return f"{row['split']}: {row['count']} {row['statistic']} {row['note'] or ''}".rstrip()


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

"""In which metrics an arm differs from the reference of its study, in sentences made of the comparisons alone.

A difference is one if its 95 % interval leaves out 0; claims have levels of their own and stand elsewhere.
"""

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK, listed
from selfdoubt.report.arms import Arms
from selfdoubt.report.formats import metric_of, number
from selfdoubt.settings.metrics import metric

_BETTER, _OPEN, _WORSE = 1, 0, -1
_SCORES = ("none", "msp")


def sentences_by_metric(comparisons: pd.DataFrame, study: str, reference: str, names: Arms) -> list[tuple[str, str]]:
    """Return (label, text) of each arm of which several metrics are compared with the reference on test.

    comparisons: COMPARISONS.
    """
    own = comparisons[(comparisons["study"] == study) & (comparisons["than"] == reference)]
    rows = own[(own["split"] == "test") & own["score"].isin(_SCORES) & ~own["repeats"].astype(bool)]
    rows = rows.dropna(subset=["difference", "low"]).drop_duplicates(["dataset", "better", "metric"])
    sentences = []
    for arm, of_arm in rows.groupby("better", sort=False):
        if of_arm["metric"].nunique() > 1:
            sentences.append((names.marked(arm), f"{_text(of_arm)}.{_parts(of_arm)}"))
    return sentences


def _text(rows: pd.DataFrame) -> str:
    """Return in which metrics an arm is higher or lower, those together that are so on the same data sets."""
    groups: dict[tuple, list[str]] = {}
    for name, of_metric in rows.groupby("metric", sort=False):
        sides = tuple((row["dataset"], _side(row)) for row in of_metric.to_dict("records"))
        groups.setdefault(sides, []).append(name)
    ordered = sorted(groups.items(), key=lambda group: -sum(side for _, side in group[0]))
    decided = [_group(sides, found) for sides, found in ordered if any(side for _, side in sides)]
    is_open = [name for sides, found in ordered if not any(side for _, side in sides) for name in found]
    several = rows["dataset"].nunique() > 1
    where = " on each data set" if several else ""
    return "; ".join(decided + ([f"open{where}: {_labels(is_open)}"] if is_open else []))


def _side(row: dict) -> int:
    if row["low"] <= 0 <= row["high"]:
        return _OPEN
    return _BETTER if row["difference"] * metric(row["metric"]).better > 0 else _WORSE


def _group(sides: tuple, found: list[str]) -> str:
    """Return "higher accuracy, lower NLL on each of 2 data sets". sides: (data set, side) of each of these metrics."""
    by_side = {side: [dataset for dataset, own in sides if own == side] for side in (_BETTER, _WORSE, _OPEN)}
    texts = []
    for side, datasets in by_side.items():
        if datasets and len(sides) == 1:
            texts.append(_words(found, side))
        elif datasets:
            every = len(datasets) == len(sides)
            place = f"each of {len(sides)} data sets" if every else listed(datasets)
            texts.append(f"{_words(found, side)} on {place}" if side else f"open on {place}")
    return ", ".join(texts)


def _words(found: list[str], side: int) -> str:
    """Return "higher accuracy and AUROC, lower NLL" of metrics that are all better, or all worse."""
    signs = {name: side * metric(name).better for name in found}
    of = {word: [name for name in found if signs[name] == sign] for word, sign in (("higher", 1), ("lower", -1))}
    return ", ".join(f"{word} {_labels(names)}" for word, names in of.items() if names)


def _labels(found: list[str]) -> str:
    return listed([metric_of(name).label for name in found])


def _parts(rows: pd.DataFrame) -> str:
    """Return what of the differences of AUGRC comes from accuracy, where there are any."""
    found = [row for row in rows.dropna(subset="accuracy_part").to_dict("records") if _side(row)]
    if not found:
        return ""
    shares = sorted(100 * row["accuracy_part"] / row["difference"] for row in found)
    least, most = (number(shares[end], 0) for end in (0, -1))
    text = least if least == most else f"{least} to {most}"
    return f" Of the difference in {metric_of(found[0]['metric']).label} {text}{NO_BREAK}% come from accuracy."

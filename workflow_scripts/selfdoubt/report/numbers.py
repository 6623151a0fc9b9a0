"""The metrics table as a dictionary, for a page that looks up a few thousand of its numbers one by one."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from selfdoubt.report.formats import metric_of


class Value(NamedTuple):
    """One number of one replicate; without a value there is a reason."""

    replicate: int
    value: float | None
    n: int
    reason: str


@dataclass(frozen=True)
class Column:
    """Which number of an arm, and the text at the head of its column."""

    metric: str
    score: str = "none"
    split: str = "test"
    label: str | None = None  # in the place of the metric's own
    group: str = ""  # text above several columns
    digits: int | None = None  # in the place of the metric's own

    @property
    def heading(self) -> str:
        return self.label or metric_of(self.metric).heading


Key = tuple[str, str, str, str, str]  # dataset, arm, split, metric, score
Numbers = dict[Key, list[Value]]


def numbers_of(metrics: pd.DataFrame) -> Numbers:
    """Return the numbers of the table, those of all replicates together, ordered by replicate. metrics: with `arm`."""
    numbers: Numbers = {}
    keys = (metrics[name].tolist() for name in ("dataset", "arm", "split", "metric", "score"))
    columns = (
        metrics["replicate"],
        metrics["value"].astype(object).where(metrics["value"].notna(), None),
        metrics["n"].fillna(0).astype(int),
        metrics["reason"].astype(object).where(metrics["reason"].notna(), "no reason given"),
    )
    values = zip(*(column.tolist() for column in columns), strict=True)
    for key, value in zip(zip(*keys, strict=True), values, strict=True):
        numbers.setdefault(key, []).append(Value(*value))
    for values in numbers.values():
        values.sort(key=lambda value: value.replicate)
    return numbers


def find(numbers: Numbers, dataset: str, arm: str, column: Column) -> list[Value]:
    """Return the values over replicates; of a metric that takes no score, those with score "none"."""
    key = key_of(numbers, dataset, arm, column)
    return numbers[key] if key else []


def key_of(numbers: Numbers, dataset: str, arm: str, column: Column) -> Key | None:
    """Return the key of a number, None where there is none."""
    key = (dataset, arm, column.split, column.metric)
    return next((found for score in (column.score, "none") if (found := (*key, score)) in numbers), None)


def averaged_by_severity(numbers: Numbers, dataset: str, names: list[str], severities: list[int]) -> Numbers:
    """Return, under splits "severity-1", …, the mean over corruptions for each replicate.

    Where one corruption has no value the mean has none either: a mean over fewer would not compare.
    """
    split_of = {f"{name}-{severity}": f"severity-{severity}" for name in names for severity in severities}
    gathered: dict[Key, dict[int, list[Value]]] = {}
    for (where, arm, split, metric, score), values in numbers.items():
        if where == dataset and split in split_of:
            replicates = gathered.setdefault((dataset, arm, split_of[split], metric, score), {})
            for value in values:
                replicates.setdefault(value.replicate, []).append(value)
    return {
        key: [_mean(replicate, values) for replicate, values in replicates.items()]
        for key, replicates in gathered.items()
    }


def _mean(replicate: int, values: list[Value]) -> Value:
    lacking = [value.reason for value in values if value.value is None]
    n = max(value.n for value in values)
    if lacking:
        return Value(replicate, None, n, f"one corruption has none: {lacking[0]}")
    return Value(replicate, sum(value.value for value in values) / len(values), n, "")


def arm_order(metrics: pd.DataFrame, settings: dict) -> list[str]:
    """Return every arm of the table, in the order of the settings: a model, its variants; groups last."""
    names = list(
        _entries(
            settings, "teachers", "baselines", "students", "augmented", "robust", "pretrained", "predictions", "groups"
        )
    )
    variants = ["clean", *_entries(settings, "enhancers", "protocols")]

    def place(row: tuple[str, str, str]) -> tuple:
        _, name, variant = row
        return (*_rank(names, name), *_rank(variants, variant))

    found = metrics[["arm", "name", "variant"]].drop_duplicates().itertuples(index=False, name=None)
    return [arm for arm, _, _ in sorted(found, key=place)]


def _entries(settings: dict, *kinds: str) -> Iterator[str]:
    for kind in kinds:
        yield from settings.get(kind) or {}


def _rank(known: list[str], name: str) -> tuple[int, str]:
    return (known.index(name) if name in known else len(known), name)

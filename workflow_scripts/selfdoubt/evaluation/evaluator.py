"""From predictions to rows of the metrics table.

Splits named CORRUPTION-SEVERITY are also averaged: CORRUPTION-mean over the severities of one corruption, and
corrupted-mean over all corrupted splits. Where a number does not exist the row has no value but a reason.
"""

import re
from collections.abc import Callable

import numpy as np

from selfdoubt.evaluation.class_ood import LEVELS_PERCENT
from selfdoubt.evaluation.metrics import metric
from selfdoubt.evaluation.statistics import percentile_interval, resample_weights
from selfdoubt.evaluation.summaries import (
    Key,
    Predictions,
    Summary,
    attempt,
    fit_scores,
    needed_splits,
    read,
    summarise,
)
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime.threads import ordered_map

ALL_CORRUPTED = "corrupted-mean"
COUNTS_AT_ONCE = 2**23  # of a million samples, eight resamples: what metrics make of each on the way fills the memory
Values = dict[tuple[str, str], np.ndarray]  # (score, metric) -> (n_resamples,)


def evaluate(predictions: dict[str, Predictions], settings, identity: dict, fitted: dict | None = None) -> list[dict]:
    """Return the rows of the metrics table of one model, replicate and variant.

    settings: the `evaluation` section of the config. identity: dataset, name, role, replicate and variant. fitted: what
    `fit_scores` returned of these predictions and scores, where it is there already.
    """
    fitted = fit_scores(predictions, settings.scores) if fitted is None else fitted
    needed = dict.fromkeys([*predictions, "test"])
    readings = {split: read(predictions, split, settings.scores, fitted, settings.ece_bins) for split in needed}
    means = mean_splits(predictions)
    wanted = {member for split in settings.resampled_splits for member in means.get(split, [split])}
    rows_of, resampled = {}, {}
    for split in predictions:
        summaries = summarise(predictions, split, readings, settings.scores)
        sizes = split_sizes(predictions, split)
        resampled[split] = _resampled(summaries, sizes, settings) if split in wanted else {}
        rows_of[split] = _rows(summaries, split, sum(sizes.values()), settings)
    for split, members in means.items():
        rows_of[split] = [_mean_row(split, same) for same in zip(*(rows_of[m] for m in members), strict=True)]
        if split in settings.resampled_splits:
            resampled[split] = {
                key: mean_resampled([resampled[m].get(key) for m in members]) for key in resampled[members[0]]
            }
    return [
        identity | row | _interval(resampled.get(split, {}) if split in settings.resampled_splits else {}, row)
        for split, rows in rows_of.items()
        for row in rows
    ]


def metric_names(kind: str, settings) -> list[str]:
    """Return the names of the wanted metrics of one kind of summary, at the percentages of the settings."""
    percentages = {
        "coverage-at-sac": settings.selective_accuracies_percent,
        "risk-at-coverage": settings.coverages_percent,
        "ood-auroc-severity": LEVELS_PERCENT,
    }
    names = []
    for name in settings.metrics:
        full = [f"{name}-{percent:g}" for percent in percentages[name]] if name in percentages else [name]
        names += [each for each in full if metric(each).of == kind]
    return names


def mean_splits(splits) -> dict[str, list[str]]:
    """Return the names of means over corrupted splits and what they are means of.

    No split is named so: those of corruptions end with a number.
    """
    corrupted = [(found[1], split) for split in splits if (found := _corrupted(split))]
    means = {f"{corruption}-mean": [] for corruption, _ in corrupted}
    for corruption, split in corrupted:
        means[f"{corruption}-mean"].append(split)
    return means | ({ALL_CORRUPTED: [split for _, split in corrupted]} if corrupted else {})


def _corrupted(split: str) -> re.Match | None:
    return None if split.startswith(("ood-", "shifted-")) else re.fullmatch(r"(.+)-\d+", split)


def mean_resampled(members: list) -> np.ndarray | None:
    """Return the mean of the members' values in each resample, (n_resamples,); None where one has none."""
    return None if any(values is None for values in members) else np.mean(members, axis=0)


# ---- resamples ----


def split_sizes(predictions: dict[str, Predictions], split: str) -> dict[str, int]:
    """Return the number of rows of each split that a metric of `split` looks at, in the order it does."""
    return {name: len(predictions[name].labels) for name in needed_splits(split) if name in predictions}


def drawn_weights(sizes: dict[str, int], n_resamples: int) -> list[Callable[[], np.ndarray]]:
    """Return functions that draw parts (n_resamples, n) of weights, each split resampled by itself.

    They are the same for every model. Corrupted splits, which show the same images, are resampled alike.
    """
    purposes = {split: "bootstrap/" + ("corrupted" if _corrupted(split) else split) for split in sizes}
    total = sum(sizes.values())
    draws = [resample_weights(n, n_resamples, purposes[split], total) for split, n in sizes.items()]
    if len(draws) == 1:
        return draws[0]
    return [lambda parts=parts: np.concatenate([part().T for part in parts]).T for parts in zip(*draws, strict=True)]


def resample(
    summaries: dict[Key, Summary], functions: dict[Key, dict[str, Callable]], sizes: dict[str, int], n: int
) -> Values:
    """Return the values of functions[score, kind][name] in each of n resamples."""
    functions = {key: functions[key] for key in summaries if functions.get(key)}

    def values(draw: Callable[[], np.ndarray]) -> Values:
        weights, found = draw(), {}
        step = max(1, COUNTS_AT_ONCE // weights.shape[1])
        few = [weights[start : start + step] for start in range(0, len(weights), step)]
        for (score, kind), named in functions.items():
            found_of = [_of_one(summaries[score, kind].resampled(each), named) for each in few]
            found |= {(score, name): np.concatenate([each[name] for each in found_of]) for name in named}
        return found

    parts = ordered_map(values, drawn_weights(sizes, n)) if functions else []
    return {key: np.concatenate([part[key] for part in parts]) for key in (parts[0] if parts else [])}


def _of_one(resampled: Summary, functions: dict[str, Callable]) -> dict[str, np.ndarray]:
    """Return the values of the functions; what is resampled is gone before the next is, which fills the memory."""
    return {name: function(resampled) for name, function in functions.items()}


def _resampled(summaries: dict[Key, Summary | Undefined], sizes: dict[str, int], settings) -> Values:
    known = {key: summary for key, summary in summaries.items() if not isinstance(summary, Undefined)}
    functions = {key: _functions(key[1], settings) for key in known}
    return resample(known, functions, sizes, settings.n_resamples)


def _functions(kind: str, settings) -> dict[str, Callable]:
    found = {name: metric(name) for name in metric_names(kind, settings)}
    return {name: each.function for name, each in found.items() if each.resampled}


# ---- rows ----


def _rows(summaries: dict[Key, Summary | Undefined], split: str, n: int, settings) -> list[dict]:
    rows = []
    for (score, kind), summary in summaries.items():
        for name in metric_names(kind, settings):
            value = attempt(metric(name).function, summary)
            rows.append({"split": split, "score": score, "metric": name, "n": n} | _number(value))
    return rows


def _mean_row(split: str, rows: tuple[dict, ...]) -> dict:
    """Return the row of the mean of rows that differ in their split alone."""
    missing = [row["reason"] for row in rows if row["reason"]]
    value = Undefined(missing[0]) if missing else np.mean([row["value"] for row in rows])
    return rows[0] | {"split": split, "n": sum(row["n"] for row in rows)} | _number(value)


def _number(value) -> dict:
    if isinstance(value, Undefined):
        return {"value": None, "reason": str(value)}
    return {"value": float(value), "reason": None}


def _interval(resampled: Values, row: dict) -> dict:
    values = resampled.get((row["score"], row["metric"]))
    low, high = (None, None) if values is None or row["value"] is None else percentile_interval(values)
    return {"low": low, "high": high}

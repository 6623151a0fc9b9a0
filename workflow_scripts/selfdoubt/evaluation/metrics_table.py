"""From predictions to rows of the metrics table.

Splits of corrupted images are averaged too (`splits.mean_splits`). Where a number does not exist the row has no value
but a reason.
"""

from collections.abc import Callable

import numpy as np

from selfdoubt.evaluation import warnings
from selfdoubt.evaluation.bootstrap import percentile_interval
from selfdoubt.evaluation.calibration import Calibration
from selfdoubt.evaluation.metrics import function_of
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.resampling import Values, mean_resampled, resample, split_sizes
from selfdoubt.evaluation.scoring import fit_scores
from selfdoubt.evaluation.splits import mean_splits, mixed_splits
from selfdoubt.evaluation.summaries import Key, Reading, Summary, read, summarise
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.settings.metrics import METRICS, metric, names


def evaluate(predictions: dict[str, Predictions], settings, identity: dict, fitted: dict | None = None) -> list[dict]:
    """Return the rows of the metrics table of one model, replicate and variant.

    settings: the `evaluation` section of the config. identity: dataset, name, role, replicate and variant. fitted: what
    `fit_scores` returned of these predictions and scores, where it was called before.
    """
    fitted = fit_scores(predictions, settings.scores) if fitted is None else fitted
    needed = dict.fromkeys([*predictions, "test"])
    readings = {split: read(predictions, split, settings.scores, fitted, settings.ece_bins) for split in needed}
    means = mean_splits(predictions)
    wanted = {member for split in settings.resampled_splits for member in means.get(split, [split])}
    mixes = metric_names("failure", settings)
    rows_of, resampled = {}, {}
    for split in [*predictions, *(mixed_splits(predictions, settings.ood_mixed_percent) if mixes else [])]:
        summaries = summarise(predictions, split, readings, settings.scores)
        sizes = split_sizes(predictions, split)
        resampled[split] = _resampled(summaries, sizes, settings) if split in wanted else {}
        rows_of[split] = _rows(summaries, split, sum(sizes.values()), settings)
    for split, members in means.items():
        rows_of[split] = [_mean_row(split, same) for same in zip(*(rows_of[m] for m in members), strict=True)]
        resampled[split] = _mean_values([resampled[m] for m in members]) if split in settings.resampled_splits else {}
    of_split = {split: resampled[split] if split in settings.resampled_splits else {} for split in rows_of}
    warned = _warnings(predictions, readings, settings.scores)
    return [
        identity | row | _interval(of_split[split], row) | {"warning": _warning_at(row, warned)}
        for split, rows in rows_of.items()
        for row in rows
    ]


def metric_names(kind: str, settings) -> list[str]:
    """Return the metrics of the settings that are computed from one kind of summary, at all percentages."""
    families = [family for family in settings.metrics if METRICS[family].kind == kind]
    return [name for family in families for name in names(family, settings)]


def _resampled(summaries: dict[Key, Summary | Undefined], sizes: dict[str, int], settings) -> Values:
    known = {key: summary for key, summary in summaries.items() if not isinstance(summary, Undefined)}
    functions = {key: _functions(key[1], summary, settings) for key, summary in known.items()}
    return resample(known, functions, sizes, settings.n_resamples)


def _functions(kind: str, summary: Summary, settings) -> dict[str, Callable]:
    """Return the functions of the metrics that have an interval: those that exist of the sample itself."""
    found = {name: function_of(name) for name in metric_names(kind, settings) if metric(name).resampled}
    return {name: of for name, of in found.items() if not isinstance(attempt(of, summary), Undefined)}


def _mean_values(members: list[Values]) -> Values:
    return {key: mean_resampled([member.get(key) for member in members]) for key in members[0]}


# ---- rows ----


def _rows(summaries: dict[Key, Summary | Undefined], split: str, n: int, settings) -> list[dict]:
    rows = []
    for (score, kind), summary in summaries.items():
        for name in metric_names(kind, settings):
            value = attempt(function_of(name), summary)
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


def _warnings(predictions: dict[str, Predictions], readings: dict[str, Reading], scores: list[str]) -> dict:
    """Return the warnings of the model on test, by score and metric or kind of metric.

    That the model has not learnt is put at the accuracy, effects of rounding at the NLL and the rankings of one score.
    """
    correct, sample = readings["test"].correct, predictions.get("test")
    if isinstance(correct, Undefined):
        return {}
    found = {("none", "accuracy"): warnings.of_model(sample.labels, correct)}
    score = "msp" if "msp" in scores else next(iter(scores), None)
    if score is None:
        return found
    confidence, calibration = (getattr(readings["test"], what).get(score) for what in ("confidence", "calibration"))
    if sample.of_probabilities and isinstance(calibration, Calibration):
        found[score, "nll"] = warnings.of_zeros(calibration.log_probability)
    if sample.decimal_places is not None and not isinstance(confidence, Undefined):
        found[score, "ranking"] = warnings.of_ties(confidence, correct, sample.decimal_places)
    return found


def _warning_at(row: dict, warned: dict) -> str | None:
    if row["split"] != "test":
        return None
    own = warned.get((row["score"], row["metric"]))
    return own or warned.get((row["score"], metric(row["metric"]).kind))

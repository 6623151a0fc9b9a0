"""The verdict on each hypothesis in sentences with their numbers, and the headline of the page."""

from dataclasses import dataclass

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import BY_NAME, Arms
from selfdoubt.report.formats import Metric, difference, mean_sd, metric_of, number, p_value
from selfdoubt.report.numbers import Column, Numbers, find

SYMBOLS = {"supported": "✓", "refuted": "✗", "inconclusive": "?"}


@dataclass(frozen=True)
class Verdict:
    """The verdict on one hypothesis on one dataset, in words."""

    hypothesis: str
    dataset: str
    statement: str
    verdict: str
    symbol: str
    sentence: str
    registered: bool


def verdicts_of(hypotheses: pd.DataFrame, numbers: Numbers, study: str, names: Arms = BY_NAME) -> list[Verdict]:
    """Return the verdicts on the hypotheses of one study, in the order of the table."""
    rows = hypotheses[hypotheses["study"] == study].to_dict("records")
    several = len({row["dataset"] for row in rows}) > 1
    return [
        Verdict(
            row["hypothesis"],
            row["dataset"],
            row["statement"],
            row["verdict"],
            SYMBOLS.get(row["verdict"], ""),
            _sentence(row, numbers, names, f"{row['dataset']}, {row['split']}" if several else row["split"]),
            bool(row["registered"]),
        )
        for row in rows
    ]


def _sentence(row: dict, numbers: Numbers, names: Arms, place: str) -> str:
    metric = metric_of(row["metric"])
    where = f"on {place}" + ("" if row["score"] == "none" else f", score {row['score']}")
    better, than = names.label(row["better"]), names.label(row["than"])
    arms = {names.label(arm): _values(row, numbers, arm) for arm in (row["better"], row["than"])}
    if pd.isna(row["difference"]):
        reasons = [f"{arm}: {reason}" for arm, (_, reason) in arms.items() if reason]
        why = listed(reasons) if reasons else "one arm has no values"
        return f"The difference in {metric.label} {where} does not exist ({why}).{_warned(row)}"
    each = [f"{arm} {_with_spread(values, metric)}" for arm, (values, _) in arms.items() if values]
    unit = "×10³: " if metric.scale == 1000 else ""
    detail = f" ({unit}{', '.join(each)})" if each else ""
    found = f"{_difference(row, metric, better, than)} {where}{detail}."
    return f"{found} {_certainty(row, metric)}{_needed(row)}{_warned(row)}"


def _warned(row: dict) -> str:
    return "" if pd.isna(row["warning"]) else f" Warning: {row['warning']}."


def _values(row: dict, numbers: Numbers, arm: str) -> tuple[list[float], str]:
    """Return the arm's values over replicates, and the reasons of those that do not exist."""
    found = find(numbers, row["dataset"], arm, Column(row["metric"], row["score"], row["split"]))
    reasons = dict.fromkeys(value.reason for value in found if value.value is None)
    return [value.value for value in found if value.value is not None], ", ".join(reasons)


def _with_spread(values: list[float], metric: Metric) -> str:
    return NO_BREAK.join(text for text in mean_sd(values, metric) if text)


def _difference(row: dict, metric: Metric, better: str, than: str) -> str:
    label = metric.label[0].upper() + metric.label[1:]
    if row["difference"] == 0:
        return f"{label} of {better} equals that of {than}"
    text = difference(abs(row["difference"]), metric, sign=False)
    if not text.strip("0."):  # less than the last digit shows
        text = f"less than {number(10**-metric.difference_digits, metric.difference_digits)}"
    size = _in_unit(text, metric.difference_unit)
    side = "higher" if row["difference"] > 0 else "lower"
    return f"{label} of {better} is {size} {side} than that of {than}"


def _certainty(row: dict, metric: Metric) -> str:
    interval = "No interval"
    if not pd.isna(row["low"]):
        high = _in_unit(difference(row["high"], metric), metric.short_unit)
        interval = f"95{NO_BREAK}% interval {difference(row['low'], metric)} to {high}"
    replicates = counted(0 if pd.isna(row["n_replicates"]) else int(row["n_replicates"]), "replicate")
    if not pd.isna(row["effect_size"]):
        replicates += f", effect size {number(row['effect_size'], 2, sign=True)}"
    return f"{interval}; {replicates}; Holm-corrected p{NO_BREAK}{p_value(row['p_holm'])}."


def _in_unit(text: str, unit: str) -> str:
    gap = "" if unit.startswith("×") or not unit else NO_BREAK
    return f"{text}{gap}{unit}"


def _needed(row: dict) -> str:
    """Return how many replicates are required where the verdict is inconclusive, or what else is open."""
    if row["verdict"] != "inconclusive" and row["n_replicates"] == 1:
        return " This holds for these two checkpoints, not for their training methods."
    if row["n_replicates"] == 1 and not pd.isna(row["low"]):
        return " One replicate shows no variation between trainings."
    if row["verdict"] != "inconclusive" or pd.isna(row["low"]):
        return ""
    if pd.isna(row["n_replicates_needed"]):
        return " From this difference and spread the number of replicates required cannot be estimated."
    needed = int(row["n_replicates_needed"])
    if needed > row["n_replicates"]:
        return f" At this difference and spread about {counted(needed, 'replicate')} are required."
    # The estimate uses the spread over replicates alone; the verdict requires more.
    unmet = "the interval, which also includes the sampling of test images, contains zero"
    if row["low"] > 0 or row["high"] < 0:
        alone = f"uncorrected p{NO_BREAK}{p_value(row['p'])}"
        unmet = f"p, corrected for all hypotheses of the study, is not below 0.05 ({alone})"
    return f" By the spread over replicates alone, {needed} would suffice, but {unmet}."


def headline(metrics: pd.DataFrame, hypotheses: pd.DataFrame) -> str:
    """Return one sentence on what was measured, its counts taken from the tables.

    metrics: with the column `arm`.
    """
    if metrics.empty:
        return "Nothing has been measured yet."
    groups = metrics.loc[metrics["role"] == "group", "name"].nunique()
    models = metrics.loc[metrics["role"] != "group", "name"].nunique()
    members = counted(models, "model") + (f" and {counted(groups, 'group')} of models" if groups else "")
    datasets = listed(list(dict.fromkeys(metrics["dataset"])))
    n_replicates = sorted(metrics.groupby(["dataset", "arm"])["replicate"].nunique().unique())
    replicates = (
        counted(n_replicates[-1], "replicate")
        if len(n_replicates) == 1
        else f"{n_replicates[0]} to {counted(n_replicates[-1], 'replicate')}"
    )
    text = f"{members}, {counted(metrics['arm'].nunique(), 'arm')} in all, {replicates} each, on {datasets}"
    verdicts = hypotheses["verdict"].value_counts()
    found = listed([f"{verdicts[verdict]} {verdict}" for verdict in SYMBOLS if verdict in verdicts])
    ending = f"; {_registration(hypotheses)}: {found}."
    return f"{text}: {counted(len(metrics), 'number')}{ending if found else '.'}"


def _registration(hypotheses: pd.DataFrame) -> str:
    n = int(hypotheses["registered"].sum())
    if n == len(hypotheses):
        return counted(n, "pre-registered hypothesis", "pre-registered hypotheses")
    return f"{counted(len(hypotheses), 'hypothesis', 'hypotheses')}, {n or 'none'} of them pre-registered"

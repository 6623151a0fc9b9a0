"""A comparison of two arms in words, with its numbers."""

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import Arms
from selfdoubt.report.formats import Metric, difference, mean_sd, metric_of, number, p_value
from selfdoubt.report.numbers import Column, Numbers, find
from selfdoubt.runtime.schemas.comparisons import IDENTICAL, UNDISTINGUISHED


def comparison_sentence(row: dict, numbers: Numbers, names: Arms, place: str) -> str:
    """Return by how much one arm is better than the other, and where; row: of the table "comparisons"."""
    metric = metric_of(row["metric"])
    where = f"on {place}" + ("" if row["score"] == "none" else f", score {row['score']}")
    better, than = labels_of(row["better"], names), labels_of(row["than"], names)
    arms = {names.label(arm): _values(row, numbers, arm) for arm in (row["better"], row["than"])}
    if row["reason"] == IDENTICAL:
        return f"{better} and {than} are identical on every image {where}: not compared."
    if pd.isna(row["difference"]):
        reasons = [f"{arm}: {reason}" for arm, (_, reason) in arms.items() if reason]
        why = listed(reasons) if reasons else "one arm has no values"
        return f"The difference in {metric.label} {where} does not exist ({why})."
    each = [f"{arm} {_with_spread(values, metric)}" for arm, (values, _) in arms.items() if values]
    unit = "×10³: " if metric.scale == 1000 else ""
    detail = f" ({unit}{', '.join(each)})" if each else ""
    open_ = " They are not identical, but no image distinguishes them." if row["reason"] == UNDISTINGUISHED else ""
    return f"{_difference(row, metric, better, than)} {where}{detail}.{open_}{_parts(row, metric)}"


def interval_text(row: dict, low: str = "low", high: str = "high", signed: bool = True) -> str:
    """Return "LOW to HIGH UNIT" of an interval of a row."""
    metric = metric_of(row["metric"])
    ends = [difference(row[end], metric, signed) for end in (low, high)]
    return f"{ends[0]} to {in_unit(ends[1], metric.short_unit)}"


def difference_text(row: dict) -> str:
    """Return "DIFFERENCE (LOW to HIGH UNIT)" of a row, or why there is no interval."""
    if pd.isna(row["low"]):
        return row["reason"] or "no interval"
    return f"{difference(row['difference'], metric_of(row['metric']))} ({interval_text(row)})"


def size_text(size: float, metric: Metric) -> str:
    """Return the size of a difference with its unit, without a sign."""
    return in_unit(difference(abs(size), metric, sign=False), metric.short_unit)


def unsigned_text(row: dict, unit: str | None = None) -> str:
    """Return the size of a row's difference with its unit, "less than" the last digit where it does not show."""
    metric = metric_of(row["metric"])
    text = difference(abs(row["difference"]), metric, sign=False)
    if not text.strip("0."):
        text = f"less than {number(10**-metric.difference_digits, metric.difference_digits)}"
    return in_unit(text, metric.short_unit if unit is None else unit)


def in_unit(text: str, unit: str) -> str:
    gap = "" if unit.startswith("×") or not unit else NO_BREAK
    return f"{text}{gap}{unit}"


def replicates_text(row: dict) -> str:
    """Return how many replicates, or pairs of networks, there were, and the effect size."""
    text = unit_text(row, 0 if pd.isna(row["n_replicates"]) else int(row["n_replicates"]))
    if pd.isna(row["effect_size"]):
        return text
    return f"{text}, effect size {number(row['effect_size'], 2, sign=True)}"


def unit_text(row: dict, n: int) -> str:
    """Return "N replicates", or pairs of networks where these are the units."""
    return f"{counted(n, 'pair')} of networks" if row.get("units") == "networks" else counted(n, "replicate")


def repeat_sentence(rows: list[dict], claimed: str) -> str:
    """Return what the same comparison gives by other scores, and as a difference of AUGRC with its parts.

    rows: of COMPARISONS, which repeat a claim. claimed: its metric.
    """
    found = [
        f"by {row['score']} {difference(row['difference'], metric_of(row['metric']))} ({interval_text(row)}, "
        f"p{NO_BREAK}{p_value(row['p'])})"
        for row in rows
        if row["metric"] == claimed and not pd.isna(row["low"])
    ]
    others = [row for row in rows if row["metric"] != claimed and not pd.isna(row["low"])]
    texts = [f"The same {listed(found)}."] if found else []
    return " ".join(texts + [f"{change_sentence(row)}{_parts(row, metric_of(row['metric']))}" for row in others])


def kept_sentence(row: dict, names: Arms, place: str) -> str:
    """Return the interval of what must not be lost, of a claim of several comparisons. place: the data set."""
    arms = (f" of {names.label(row['better'])}", f" from that of {labels_of(row['than'], names)}")
    return change_sentence(row, arms, f" on {place}")


def change_sentence(row: dict, arms: tuple[str, str] = ("", ""), place: str = "") -> str:
    """Return the interval of a difference of the arms that were just compared, or of those that are named."""
    metric = metric_of(row["metric"])
    label = metric.label
    if pd.isna(row["low"]):
        return f"Nothing is known of a loss of {label}{place}: {row['reason']}."
    size = difference(row["difference"], metric)
    margin = "" if pd.isna(row["margin"]) else f"; margin {size_text(row['margin'], metric)}"
    differs = f"{label[0].upper()}{label[1:]}{arms[0]} differs{arms[1]} by {size}"
    return f"{differs} ({interval_text(row)}{margin}){place}."


def on_enough(n: int, n_datasets: int) -> str:
    """Return on how many data sets something is so, or required: "each of 2 data sets", "at least 2 of 3 data sets"."""
    return f"{'each' if n == n_datasets else f'at least {n}'} of {n_datasets} data sets"


def labels_of(arms: str, names: Arms) -> str:
    """Return the labels of arms that are one text, "a, b"."""
    return listed([names.label(arm) for arm in arms.split(", ")])


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
    size = unsigned_text(row, metric.difference_unit)
    side = "higher" if row["difference"] > 0 else "lower"
    return f"{label} of {better} is {size} {side} than that of {than}"


def _parts(row: dict, metric: Metric) -> str:
    if pd.isna(row["ranking_part"]):
        return ""
    accuracy, ranking = (difference(row[f"{part}_part"], metric) for part in ("accuracy", "ranking"))
    return f" Of it {accuracy} come from accuracy, {ranking} from ranking."

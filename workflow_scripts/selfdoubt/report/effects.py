"""Effects as intervals against their margins: the rows of the small forest plot of a study's card.

All rows share one scale, the claim's margin, so that effects on different metrics compare: 0 is no difference, the
right is the side of the claim, and what lies between -1 and 1 is too small to matter.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from selfdoubt.report.answers import Claim, interval_ends
from selfdoubt.report.arms import Arms
from selfdoubt.report.formats import difference, metric_of
from selfdoubt.report.numbers import Column, Numbers, find
from selfdoubt.report.sentences import in_unit, interval_text, labels_of
from selfdoubt.report.verdict_texts import SYMBOLS
from selfdoubt.settings.metrics import margin as default_margin
from selfdoubt.settings.metrics import metric

_LEAST, _MOST = 1.6, 6.0  # margins that the scale reaches to either side
_ROWS = 12


@dataclass(frozen=True)
class Effect:
    """One comparison, ready for the template; places are percentages of the width of the plot."""

    label: str
    verdict: str
    symbol: str
    text: str  # the difference with its interval
    margin: tuple[float, float]  # left end and width
    interval: tuple[float, float] | None  # left end and width; None: there is none
    estimate: float | None
    cut: tuple[bool, bool]  # whether the interval goes on beyond the plot, left and right


@dataclass(frozen=True)
class _Scaled:
    claim: Claim
    row: dict
    ends: np.ndarray  # low, estimate, high, in margins, the claim's side positive; nan where there is none
    text: str


def effects_of(claims: list[Claim], numbers: Numbers, settings: dict, names: Arms) -> tuple[list[Effect], int]:
    """Return the effects of claims, each of its comparisons one, and how many more there are than are shown."""
    scaled = [_scaled(claim, row, numbers, settings) for claim in claims for row in _rows(claim)]
    known = np.concatenate([np.abs(each.ends) for each in scaled] or [np.zeros(0)])
    reach = float(np.clip(1.08 * np.nanmax(known, initial=0), _LEAST, _MOST))
    several = len({each.row["dataset"] for each in scaled}) > 1
    shown = [_effect(each, reach, names, several) for each in scaled[:_ROWS]]
    return shown, max(0, len(scaled) - _ROWS)


def _rows(claim: Claim) -> list[dict]:
    return claim.components if claim.compound and claim.components else [claim.row]


def _scaled(claim: Claim, row: dict, numbers: Numbers, settings: dict) -> _Scaled:
    size = claim.row["margin"] if row is claim.row else margin_of(row, claim.row["hypothesis"], numbers, settings)
    shown = metric_of(row["metric"])
    if pd.isna(row["difference"]) or pd.isna(row["low"]):
        missing = "identical" if claim.row["verdict"] == "identical" else "no interval"
        return _Scaled(claim, row, np.full(3, np.nan), missing)
    (low, high), _ = interval_ends(row)
    ends = np.array([low, row["difference"], high]) * metric(row["metric"]).better / (size or np.nan)
    text = in_unit(difference(row["difference"], shown), shown.short_unit)
    return _Scaled(claim, row, np.sort(ends), f"{text} ({interval_text({**row, 'low': low, 'high': high})})")


def margin_of(row: dict, hypothesis: str | None, numbers: Numbers, settings: dict) -> float | None:
    """Return the smallest difference of interest of a comparison: the claim's, or that of the metric; None if unknown.

    row: of COMPARISONS. hypothesis: the claim that it is a part of.
    """
    sections = ("hypotheses", "manipulation_checks")
    entry = next((settings[key][hypothesis] for key in sections if hypothesis in (settings.get(key) or {})), {})
    if entry.get("margin") is not None and entry["metric"] == row["metric"]:
        return entry["margin"]
    column = Column(row["metric"], row["score"], row["split"])
    found = [value.value for arm in row["than"].split(", ") for value in find(numbers, row["dataset"], arm, column)]
    known = [value for value in found if value is not None]
    return default_margin(row["metric"], float(np.mean(known))) if known else None


def _effect(found: _Scaled, reach: float, names: Arms, several: bool) -> Effect:
    row, verdict = found.row, found.claim.row["verdict"].partition(",")[0]
    label = f"{labels_of(row['better'], names)} − {labels_of(row['than'], names)}, {metric_of(row['metric']).label}"
    label += f", {row['dataset']}" if several else ""
    label += f", {row['split']}" if row["split"] != "test" else ""

    def place(value: float) -> float:
        return round(float(50 + 50 * np.clip(value, -reach, reach) / reach), 3)

    left, right = place(-1), place(1)
    interval = estimate = None
    if not np.isnan(found.ends).any():
        low, high = place(found.ends[0]), place(found.ends[2])
        interval, estimate = (low, round(high - low, 3)), place(found.ends[1])
    cut = bool(found.ends[0] < -reach), bool(found.ends[2] > reach)
    margin = (left, round(right - left, 3))
    return Effect(label, verdict, SYMBOLS[verdict], found.text, margin, interval, estimate, cut)

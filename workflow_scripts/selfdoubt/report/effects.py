"""Effects as intervals against their margins: the rows of the small forest plot of a study's card.

All rows share one scale, the claim's margin, so that effects on different metrics compare: 0 is no difference, the
right is the side of the claim, and what lies between -1 and 1 is too small to matter.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from selfdoubt.report.answers import interval_ends
from selfdoubt.report.arms import Arms
from selfdoubt.report.claims import Claim
from selfdoubt.report.formats import difference, metric_of
from selfdoubt.report.numbers import Column, Numbers, find
from selfdoubt.report.sentences import in_unit, interval_text, labels_of
from selfdoubt.report.verdict_texts import SYMBOLS
from selfdoubt.settings.metrics import margin as default_margin
from selfdoubt.settings.metrics import metric

_LEAST, _MOST = 1.6, 6.0  # margins that the scale reaches to either side
_ROWS = 12


@dataclass(frozen=True)
class Track:
    """An interval against its margin; places are percentages of the width."""

    margin: tuple[float, float]  # left end and width
    interval: tuple[float, float]  # left end and width
    estimate: float
    cut: tuple[bool, bool]  # whether the interval goes on beyond the track, left and right


@dataclass(frozen=True)
class Effect:
    """One comparison of a claim, ready for the template."""

    label: str
    verdict: str
    symbol: str
    text: str  # the difference with its interval
    track: Track | None  # None: it has no interval


def effects_of(claims: list[Claim], numbers: Numbers, settings: dict, names: Arms) -> tuple[list[Effect], int]:
    """Return the effects of claims, each of its comparisons one, and how many more there are than are shown."""
    pairs = [(claim, row) for claim in claims for row in _rows(claim)]
    tracks = tracks_of([(row, _size(claim, row, numbers, settings)) for claim, row in pairs])
    several = len({row["dataset"] for _, row in pairs}) > 1
    shown = [_effect(*pair, track, names, several) for pair, track in zip(pairs, tracks, strict=True)]
    return shown[:_ROWS], max(0, len(shown) - _ROWS)


def _rows(claim: Claim) -> list[dict]:
    return claim.components if claim.compound and claim.components else [claim.row]


def _size(claim: Claim, row: dict, numbers: Numbers, settings: dict) -> float | None:
    return claim.row["margin"] if row is claim.row else margin_of(row, claim.row["hypothesis"], numbers, settings)


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


def tracks_of(rows: list[tuple[dict, float | None]]) -> list[Track | None]:
    """Return the tracks of comparisons on one scale; rows: each with its margin."""
    ends = [_in_margins(row, size) for row, size in rows]
    farthest = max((float(np.abs(each).max()) for each in ends if each is not None), default=0.0)
    reach = min(max(1.08 * farthest, _LEAST), _MOST)
    return [None if each is None else _track(each, reach) for each in ends]


def _in_margins(row: dict, size: float | None) -> np.ndarray | None:
    """Return low, estimate and high of a comparison in margins, the better arm's side positive; None without them."""
    if not size or pd.isna(size) or pd.isna(row["difference"]) or pd.isna(row["low"]):
        return None
    (low, high), _ = interval_ends(row)
    return np.sort(np.array([low, row["difference"], high]) * metric(row["metric"]).better / size)


def _track(ends: np.ndarray, reach: float) -> Track:
    def place(value: float) -> float:
        return round(float(50 + 50 * np.clip(value, -reach, reach) / reach), 3)

    low, estimate, high = map(place, ends)
    margin = (place(-1), round(place(1) - place(-1), 3))
    return Track(margin, (low, round(high - low, 3)), estimate, (bool(ends[0] < -reach), bool(ends[2] > reach)))


def _effect(claim: Claim, row: dict, track: Track | None, names: Arms, several: bool) -> Effect:
    verdict, shown = claim.row["verdict"].partition(",")[0], metric_of(row["metric"])
    label = f"{labels_of(row['better'], names)} − {labels_of(row['than'], names)}, {shown.label}"
    label += f", {row['dataset']}" if several else ""
    label += f", {row['split']}" if row["split"] != "test" else ""
    text = "identical" if verdict == "identical" else "no interval"
    if not (pd.isna(row["difference"]) or pd.isna(row["low"])):
        (low, high), _ = interval_ends(row)
        interval = interval_text({**row, "low": low, "high": high})
        text = f"{in_unit(difference(row['difference'], shown), shown.short_unit)} ({interval})"
    return Effect(label, verdict, SYMBOLS[verdict], text, track)

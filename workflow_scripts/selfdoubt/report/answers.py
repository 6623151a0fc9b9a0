"""The answer to a study's question: sentences that are made of its verdicts and their numbers alone.

What the config says of a claim is not looked at: which arm has more of what, by how much and within which interval are
read off the table, whose verdicts follow from its numbers (`report.claims`).
"""

from dataclasses import dataclass

import pandas as pd

from selfdoubt.evaluation.verdicts import LEAST_REPLICATES
from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import Arms
from selfdoubt.report.claims import VERDICTS, Claim, below
from selfdoubt.report.formats import difference, metric_of, p_value
from selfdoubt.report.sentences import in_unit, interval_text, labels_of, on_enough, size_text, unsigned_text

_FIRST_WORDS = (
    "Yes",
    "Yes, but by less than the margin",
    "No, the reverse",
    "Too small to matter",
    "No difference",
    "Open",
)
LEADS = dict(zip(VERDICTS, _FIRST_WORDS, strict=True))  # verdict -> what the answer begins with
_IN_FULL = 3  # findings of one verdict


@dataclass(frozen=True)
class Finding:
    """What the claims of one verdict found."""

    lead: str  # "Yes"
    verdict: str  # its first word
    text: str


def findings(claims: list[Claim], names: Arms) -> list[Finding]:
    """Return what claims found, one finding for each verdict that occurs, "yes" first; checks are left out."""
    several = len({claim.row["dataset"] for claim in claims}) > 1
    found = []
    for verdict, lead in LEADS.items():
        texts = [_text(claim, names, several) for claim in claims if claim.row["verdict"] == verdict]
        if more := texts[_IN_FULL:]:
            texts = [*texts[:_IN_FULL], counted(len(more), "further claim")]
        if texts:
            found.append(Finding(lead, verdict.partition(",")[0], f"{'; '.join(texts)}."))
    return found


def _text(claim: Claim, names: Arms, several: bool) -> str:
    verdict = claim.row["verdict"].partition(",")[0]
    return _TEXTS[verdict](claim, names) + _place(claim.row, several)


def _supported(claim: Claim, names: Arms) -> str:
    row = claim.row
    kept = listed(list(dict.fromkeys(metric_of(each["metric"]).label for each in claim.kept)))
    kept = f", without a loss of {kept} beyond its margin" if kept else ""
    if claim.on_at_least:
        return f"{_has(row, claim.side, names)} on {_of_datasets(claim, claim.on_at_least)}{kept}"
    if claim.compound:
        least = min(claim.components, key=lambda each: abs(each["difference"]))
        return f"{_has(row, claim.side, names)}, each by {unsigned_text(least)} or more{kept}"
    return f"{_has(row, row['difference'], names)}, by {unsigned_text(row)} ({_interval(row)}){kept}"


def _refuted(claim: Claim, names: Arms) -> str:
    row = claim.row
    if claim.on_at_least:
        return f"{_has(row, -claim.side, names)} on {_of_datasets(claim, _enough_against(claim))}"
    if claim.compound:
        against = [each for each in claim.components if each["difference"] * claim.side < 0]
        row = min(against, key=lambda each: each["p"])
    return f"{_has(row, row['difference'], names)}, by {unsigned_text(row)} ({_interval(row)})"


def _negligible(claim: Claim, names: Arms) -> str:
    row = claim.row
    arms, label = _arms(row, names), metric_of(row["metric"]).label
    p = f"p{NO_BREAK}{p_value(row['p_negligible_holm'])}"
    differ = f"{label} of {' and '.join(arms)} differ by less than the margin"
    if claim.on_at_least:
        return f"{differ} on {_of_datasets(claim, _enough_against(claim), 'p_negligible_holm')}"
    if claim.compound:
        return f"{differ} ({p})"
    size = size_text(row["margin"], metric_of(row["metric"]))
    return f"{label} of {arms[0]} differs from that of {arms[1]} by {_signed(row)}, within the margin of {size} ({p})"


def _identical(claim: Claim, names: Arms) -> str:
    return f"{' and '.join(_arms(claim.row, names))} are identical on every image"


def _inconclusive(claim: Claim, names: Arms) -> str:
    row = claim.row
    asked = f"whether {_has(row, claim.side, names)}"
    if claim.compound:
        return asked
    if pd.isna(row["difference"]):
        return f"{asked}, since there is no difference to see ({row['reason']})"
    why = ""
    if row["n_replicates"] < LEAST_REPLICATES and row["units"] == "replicates":
        why = f"; {counted(int(row['n_replicates']), 'replicate')} cannot decide"
    elif below(row["p"], row["level"]) and claim.kept:
        lost = listed(list(dict.fromkeys(metric_of(each["metric"]).label for each in claim.kept)))
        why = f"; a loss of {lost} is not excluded"
    interval = "no interval" if pd.isna(row["low"]) else _interval(row, signed=True)
    return f"{asked} ({_signed(row)}, {interval}{why})"


_TEXTS = {
    "supported": _supported,
    "refuted": _refuted,
    "negligible": _negligible,
    "identical": _identical,
    "inconclusive": _inconclusive,
}


def _arms(row: dict, names: Arms) -> list[str]:
    return [labels_of(row[key], names) for key in ("better", "than")]


def _has(row: dict, sign: float, names: Arms) -> str:
    """Return "A has a lower AURC than B"; sign: of the difference, A minus B."""
    (better, than), several = _arms(row, names), "," in row["better"]
    word = "higher" if sign > 0 else "lower"
    return f"{better} {'have' if several else 'has'} a {word} {metric_of(row['metric']).label} than {than}"


def _enough_against(claim: Claim) -> int:
    """Return on how many data sets a claim about several must fail so that it fails."""
    return len(claim.datasets) - claim.on_at_least + 1


def _of_datasets(claim: Claim, n: int, p: str = "p_holm") -> str:
    row = claim.row
    return f"{on_enough(n, len(row['dataset'].split(', ')))} (p{NO_BREAK}{p_value(row[p])})"


def _signed(row: dict) -> str:
    shown = metric_of(row["metric"])
    return in_unit(difference(row["difference"], shown), shown.short_unit)


def _interval(row: dict, signed: bool = False) -> str:
    """Return the interval of the level that decides; unsigned, as the size of a difference."""
    ends, percent = interval_ends(row)
    if not signed and row["difference"] < 0:
        ends = -ends[1], -ends[0]
    text = interval_text({"metric": row["metric"], "low": ends[0], "high": ends[1]}, signed=signed)
    return f"{percent:.3g}{NO_BREAK}% interval {text}"


def interval_ends(row: dict) -> tuple[tuple[float, float], float]:
    """Return the ends of the interval that decides, in the metric's own unit, and its percentage."""
    of_family = row.get("level") is not None and not pd.isna(row.get("level")) and not pd.isna(row.get("low_family"))
    if of_family and row["level"] < 0.0499:
        return (row["low_family"], row["high_family"]), 100 * (1 - row["level"])
    return (row["low"], row["high"]), 95.0


def _place(row: dict, several: bool) -> str:
    """Return where and by which score, as far as that is not test and the maximum softmax probability."""
    together = ", " in row["dataset"]
    parts = [f"on {row['dataset']}"] if several and not together else []
    parts += [f"on {row['split']}"] if row["split"] != "test" else []
    parts += [f"by {row['score']}"] if row["score"] not in ("none", "msp") else []
    return f" {' '.join(parts)}" if parts else ""

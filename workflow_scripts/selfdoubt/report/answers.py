"""The answer to a study's question: sentences that are made of its verdicts and their numbers alone.

What the config says of a claim is not looked at: which arm has more of what, by how much and within which interval are
read off the table, and a table whose verdict is not what its numbers give is refused.
"""

from dataclasses import dataclass

import pandas as pd

from selfdoubt.figures.texts import NO_BREAK, counted, listed
from selfdoubt.report.arms import Arms
from selfdoubt.report.formats import difference, metric_of, p_value
from selfdoubt.report.sentences import in_unit, interval_text, labels_of, size_text, unsigned_text
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.metrics import metric

LEADS = {  # verdict -> what the answer begins with
    "supported": "Yes",
    "supported, smaller than the margin": "Yes, but by less than the margin",
    "refuted": "No, the reverse",
    "negligible": "Too small to matter",
    "identical": "No difference",
    "inconclusive": "Open",
}
_IN_FULL = 3  # findings of one verdict
_LEAST_REPLICATES = 5  # below which nothing is decided


@dataclass(frozen=True)
class Claim:
    """A row of HYPOTHESES, and the rows of COMPARISONS that it is made of."""

    row: dict
    components: list[dict]  # of what the claim is about
    kept: list[dict]  # of what must not be lost

    @property
    def compound(self) -> bool:
        return self.row["n_components"] > 1

    @property
    def on_at_least(self) -> int | None:
        """Return on how many data sets at least the claim must hold; None if it is not about several together."""
        n = self.row["on_at_least"]
        return None if pd.isna(n) else int(n)

    @property
    def side(self) -> int:
        """+1 where a positive difference is claimed, else -1."""
        return metric(self.row["metric"]).better


@dataclass(frozen=True)
class Finding:
    """What the claims of one verdict found."""

    lead: str  # "Yes"
    verdict: str  # its first word
    text: str


def claims_of(hypotheses: pd.DataFrame, comparisons: pd.DataFrame, study: str) -> list[Claim]:
    """Return the claims of a study in the order of the table; raises UserError if a verdict contradicts its numbers."""
    claims = []
    for row in hypotheses[hypotheses["study"] == study].to_dict("records"):
        own = comparisons[(comparisons["hypothesis"] == row["hypothesis"]) & ~comparisons["repeats"].astype(bool)]
        members = own[own["dataset"].isin(row["dataset"].split(", "))].to_dict("records")
        quantity = [row[key] for key in ("metric", "score", "split")]
        components = [each for each in members if [each[key] for key in ("metric", "score", "split")] == quantity]
        if fault := contradiction(row):
            what = f"the table of hypotheses: {row['hypothesis']} is '{row['verdict']}', but {fault}"
            raise UserError(f"{what}; delete it and run again")
        claims.append(Claim(row, components, [each for each in members if each not in components]))
    return claims


def contradiction(row: dict) -> str | None:
    """Return how the numbers of a row of HYPOTHESES contradict its verdict; None if they do not."""
    verdict, single = row["verdict"], row["n_components"] == 1
    found, small = (_below(row[key], row["alpha"]) for key in ("p_holm", "p_negligible_holm"))
    side = 0 if pd.isna(row["difference"]) else metric(row["metric"]).better * row["difference"]
    low, high = row["low_family"], row["high_family"]
    if verdict not in LEADS:
        return f"a verdict is one of {', '.join(LEADS)}"
    if verdict.startswith(("supported", "refuted")):
        claimed, smaller = verdict.startswith("supported"), "smaller" in verdict
        if not found:
            return "its corrected p is not below the level"
        if single and (side > 0) != claimed:
            return f"the difference is on the {'other' if claimed else 'claimed'} side"
        if single and not pd.isna(low) and low <= 0 <= high:
            return "its interval holds 0"
        if single and claimed and not pd.isna(low) and smaller != (-row["margin"] < low and high < row["margin"]):
            return f"its interval is {'not ' * smaller}within the margin"
    if verdict == "negligible" and (found or not small or (single and abs(row["difference"]) >= row["margin"])):
        return "its numbers do not show that"
    if verdict == "identical" and not pd.isna(row["p"]):
        return "its arms were compared"
    if verdict == "inconclusive" and single and row["n_replicates"] >= _LEAST_REPLICATES and (found or small):
        return "its numbers decide it"
    return None


def _below(p: float | None, level: float) -> bool:
    return not pd.isna(p) and p < level


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
        return f"{_has(row, claim.side, names)} on at least {_of_datasets(claim, claim.on_at_least)}{kept}"
    if claim.compound:
        least = min(claim.components, key=lambda each: abs(each["difference"]))
        return f"{_has(row, claim.side, names)}, each by {unsigned_text(least)} or more{kept}"
    return f"{_has(row, row['difference'], names)}, by {unsigned_text(row)} ({_interval(row)}){kept}"


def _refuted(claim: Claim, names: Arms) -> str:
    row = claim.row
    if claim.on_at_least:
        return f"{_has(row, -claim.side, names)} on at least {_of_datasets(claim, _enough_against(claim))}"
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
        return f"{differ} on at least {_of_datasets(claim, _enough_against(claim), 'p_negligible_holm')}"
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
    if row["n_replicates"] < _LEAST_REPLICATES and row["units"] == "replicates":
        why = f"; {counted(int(row['n_replicates']), 'replicate')} cannot decide"
    elif _below(row["p"], row["level"]) and claim.kept:
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
    return len(claim.row["dataset"].split(", ")) - claim.on_at_least + 1


def _of_datasets(claim: Claim, n: int, p: str = "p_holm") -> str:
    row = claim.row
    return f"{n} of {len(row['dataset'].split(', '))} data sets (p{NO_BREAK}{p_value(row[p])})"


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

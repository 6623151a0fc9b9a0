"""The claims of a study with the comparisons that they are made of; a verdict that these contradict is refused.

What the config says of a claim is not looked at: on which side the differences are, how certain that is and what was
kept are read off the tables.
"""

from dataclasses import dataclass

import pandas as pd

from selfdoubt.evaluation.verdicts import LEAST_REPLICATES
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.comparisons import IDENTICAL
from selfdoubt.settings.metrics import metric

VERDICTS = (
    "supported",
    "supported, smaller than the margin",
    "refuted",
    "negligible",
    "identical",
    "inconclusive",
)
_OF_INTERVALS = 0.05  # level of the intervals of comparisons
_QUANTITY = ("metric", "score", "split")


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
    def datasets(self) -> list[str]:
        return self.row["dataset"].split(", ")

    @property
    def side(self) -> int:
        """+1 where a positive difference is claimed, else -1."""
        return metric(self.row["metric"]).better


def below(p: float | None, level: float) -> bool:
    """Return whether there is a p, and it is below a level."""
    return not pd.isna(p) and p < level


def claims_of(hypotheses: pd.DataFrame, comparisons: pd.DataFrame, study: str) -> list[Claim]:
    """Return the claims of a study in the order of the table; raises UserError if a verdict contradicts its numbers."""
    claims = []
    for row in hypotheses[hypotheses["study"] == study].to_dict("records"):
        own = comparisons[(comparisons["hypothesis"] == row["hypothesis"]) & ~comparisons["repeats"].astype(bool)]
        members = own[own["dataset"].isin(row["dataset"].split(", "))].to_dict("records")
        components = [each for each in members if all(each[key] == row[key] for key in _QUANTITY)]
        claim = Claim(row, components, [each for each in members if each not in components])
        if fault := contradiction(claim):
            what = f"the table of hypotheses: {row['hypothesis']} is '{row['verdict']}', but {fault}"
            raise UserError(f"{what}; delete it and run again")
        claims.append(claim)
    return claims


def contradiction(claim: Claim) -> str | None:
    """Return how the numbers of a claim, and of each comparison of it, contradict its verdict; None if they do not."""
    verdict = claim.row["verdict"]
    if verdict not in VERDICTS:
        return f"a verdict is one of {', '.join(VERDICTS)}"
    if claim.compound and len(claim.components) != claim.row["n_components"]:
        return f"{len(claim.components)} of its {claim.row['n_components']:.0f} comparisons are in that table"
    return _FAULTS[verdict.partition(",")[0]](claim)


# ---- faults of one verdict each ----


def _of_supported(claim: Claim) -> str | None:
    row = claim.row
    if fault := _undirected(claim, claimed=True) or _lost(claim):
        return fault
    if pd.isna(row["low_family"]):
        return None
    smaller, within = "smaller" in row["verdict"], -row["margin"] < min(row["low_family"], -row["high_family"])
    if smaller == within or (claim.compound and within):  # of several comparisons the row has the interval of one
        return None
    return f"its interval is {'not ' * smaller}within the margin"


def _of_refuted(claim: Claim) -> str | None:
    return _undirected(claim, claimed=False)


def _of_negligible(claim: Claim) -> str | None:
    row = claim.row
    found, small = (below(row[key], row["alpha"]) for key in ("p_holm", "p_negligible_holm"))
    rows = [] if claim.on_at_least else [row]  # of some data sets others may be beyond it
    if rows and metric(row["metric"]).margin is not None:  # else each comparison has a margin of its own
        rows += claim.components
    within = all(abs(each["difference"]) < row["margin"] for each in rows)
    return None if small and not found and within else "its numbers do not show that"


def _of_identical(claim: Claim) -> str | None:
    return None if all(pd.isna(each["p"]) for each in (claim.row, *claim.components)) else "its arms were compared"


def _of_inconclusive(claim: Claim) -> str | None:
    row = claim.row
    n = min(each["n_replicates"] or 0 for each in (claim.components if claim.compound else [row]))
    decided = any(below(row[key], row["alpha"]) for key in ("p_holm", "p_negligible_holm"))
    return "its numbers decide it" if n >= LEAST_REPLICATES and decided else None


_FAULTS = {
    "supported": _of_supported,
    "refuted": _of_refuted,
    "negligible": _of_negligible,
    "identical": _of_identical,
    "inconclusive": _of_inconclusive,
}


# ---- what they share ----


def _undirected(claim: Claim, claimed: bool) -> str | None:
    """Return why the differences are not shown to be on the claimed side, or on the other one."""
    row, side = claim.row, claim.side if claimed else -claim.side
    if not below(row["p_holm"], row["alpha"]):
        return "its corrected p is not below the level"
    if claim.compound:
        return _undirected_components(claim, side)
    if pd.isna(row["difference"]) or row["difference"] * side <= 0:
        return f"the difference is on the {'other' if claimed else 'claimed'} side"
    return "its interval holds 0" if _holds_zero(row, "low_family", "high_family") else None


def _undirected_components(claim: Claim, side: int) -> str | None:
    """Return why too few comparisons show it: all of a data set must be on the claimed side, or one on the other."""
    as_claimed, at_least = side == claim.side, claim.on_at_least or 1
    needed = at_least if as_claimed else len(claim.datasets) - at_least + 1
    n = 0
    for dataset in claim.datasets:
        shown = [_shows(each, side, claim.row["alpha"]) for each in claim.components if each["dataset"] == dataset]
        n += all(shown) if as_claimed else any(shown)
    if n >= needed:
        return None
    if claim.on_at_least:
        return f"its comparisons show that on {n} of {len(claim.datasets)} data sets"
    return "not each of its comparisons shows that" if as_claimed else "none of its comparisons shows that"


def _shows(row: dict, side: int, alpha: float) -> bool:
    """Return whether a comparison is found to be on a side, by p and, as far as it is narrow enough, its interval."""
    if pd.isna(row["difference"]) or not below(row["p"], alpha):
        return False
    return row["difference"] * side > 0 and (alpha > _OF_INTERVALS or not _holds_zero(row, "low", "high"))


def _holds_zero(row: dict, low: str, high: str) -> bool:
    return not pd.isna(row[low]) and row[low] <= 0 <= row[high]


def _lost(claim: Claim) -> str | None:
    """Return why what must not be lost is not shown to be kept.

    Of several data sets p is that of the weakest, on which something may be lost where fewer than all are needed.
    """
    row, kept = claim.row, claim.kept
    known = [d for d in claim.datasets if all(_is_known(each) for each in kept if each["dataset"] == d)]
    needed = claim.on_at_least or len(claim.datasets)
    same = pd.isna(row["p_no_loss"]) and any(each["reason"] == IDENTICAL for each in kept)
    shown = same or below(row["p_no_loss"], row["alpha"]) or needed < len(claim.datasets)
    if not kept or (len(known) >= needed and shown):
        return None
    return f"a loss of {', '.join(dict.fromkeys(each['metric'] for each in kept))} is not excluded"


def _is_known(row: dict) -> bool:
    return not pd.isna(row["difference"]) or row["reason"] == IDENTICAL

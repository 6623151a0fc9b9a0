"""The card of a study at the top of the page: its answer, the effects behind it, and what they rest on."""

from dataclasses import dataclass

from selfdoubt.figures.texts import counted
from selfdoubt.report.answers import Finding, findings
from selfdoubt.report.arms import Arms
from selfdoubt.report.claims import Claim
from selfdoubt.report.effects import Effect, effects_of
from selfdoubt.report.numbers import Numbers


@dataclass(frozen=True)
class Card:
    """What stands on a study's card besides its title and question."""

    answer: list[Finding]  # of claims that were written down before their numbers were known
    described: list[Finding]  # of the others
    effects: list[Effect]
    n_further: int  # effects that are not shown
    facts: list[str]


def card_of(claims: list[Claim], failed_checks: str | None, numbers: Numbers, settings: dict, names: Arms) -> Card:
    """Return the card of a study; with a manipulation check that failed it has no answer."""
    tested = [claim for claim in claims if claim.row["role"] != "check"]
    of = {known: [claim for claim in tested if bool(claim.row["registered"]) == known] for known in (True, False)}
    answer, described = (findings(of[known], names) if not failed_checks else [] for known in (True, False))
    effects, n_further = effects_of(tested, numbers, settings, names)
    return Card(answer, described, effects, n_further, _facts(claims))


def _facts(claims: list[Claim]) -> list[str]:
    checks = [claim for claim in claims if claim.row["role"] == "check"]
    n_supported = sum(claim.row["verdict"].startswith("supported") for claim in checks)
    units = {
        (int(claim.row["n_replicates"]), claim.row["units"])
        for claim in claims
        if claim.row["n_replicates"] == claim.row["n_replicates"]
    }
    facts = []
    for kind, noun in (("replicates", "replicate"), ("networks", "pair")):
        numbers = sorted(n for n, unit in units if unit == kind)
        if numbers:
            least = f"{numbers[0]} to " if numbers[0] < numbers[-1] else ""
            facts.append(f"{least}{counted(numbers[-1], noun)}{' of networks' if kind == 'networks' else ''}")
    whole = f"{n_supported} of {counted(len(checks), 'manipulation check')} supported"
    return [*facts, whole if checks else "no manipulation check"]

"""The verdict on a claim: supported, refuted, negligible, identical or inconclusive."""

from dataclasses import dataclass

from selfdoubt.evaluation.claims import Component, Evidence

LEAST_REPLICATES = 5  # below it the test rejects too often, or cannot reject at the level of a family


@dataclass(frozen=True)
class Outcome:
    """A claim with its comparisons, of each data set that it is about."""

    claim: object
    groups: list[list[Component]]
    evidence: Evidence | None

    @property
    def components(self) -> list[Component]:
        return [component for group in self.groups for component in group]

    @property
    def identical(self) -> bool:
        return all(component.compared.identical for component in self.components)

    @property
    def p(self) -> float | None:
        return None if self.evidence is None else min(self.evidence.supporting, self.evidence.opposing)

    def weakest(self) -> Component:
        """Return the comparison that decides: the first that could not be made.

        Else that of the largest p for the claim; where more speaks against it, that of the smallest p against it.
        """
        evidence = [component.evidence() for component in self.components]
        if self.evidence is not None and self.evidence.opposing < self.evidence.supporting:
            return min(self.components, key=lambda component: component.evidence().opposing)
        found = [2.0 if each is None else each.supporting for each in evidence]
        return self.components[found.index(max(found))]


def verdict(outcome: Outcome, corrected: dict, alpha: float, settings) -> str:
    """Return the verdict on a claim.

    Of models that were trained here fewer than five replicates decide nothing; of models that were trained elsewhere
    there is no other replicate.
    """
    if outcome.identical:
        return "identical"
    elsewhere = all({*pair} <= {*settings.pretrained} for pair in outcome.claim.pairs)
    n = min(component.compared.n for component in outcome.components)
    few = n < LEAST_REPLICATES and not (elsewhere and outcome.claim.units == "replicates")
    if outcome.evidence is None or few:
        return "inconclusive"
    opposed = outcome.evidence.opposing < outcome.evidence.supporting
    found = decision(opposed, corrected["p_holm"], corrected["p_negligible_holm"], alpha)
    if found == "supported" and all(_inside(component, corrected["level"]) for component in outcome.components):
        return "supported, smaller than the margin"
    return found


def decision(opposed: bool, p: float, p_negligible: float, alpha: float) -> str:
    """Return the first word of the verdict on a claim of enough replicates, by its corrected p-values.

    opposed: whether what was found is on the other side than what is claimed.
    """
    if p < alpha:
        return "refuted" if opposed else "supported"
    return "negligible" if p_negligible < alpha else "inconclusive"


def _inside(component: Component, level: float) -> bool:
    """Return whether a whole interval lies within the margin."""
    if not component.compared.contrast:
        return component.compared.identical
    low, high = component.compared.contrast.interval(1 - level)
    return -component.margin < low and high < component.margin

"""Claims: the comparisons that each is made of, and their joint evidence.

*Better than each of several* is an intersection-union test: the largest p. *On at least u of k data sets* is a partial
conjunction, (k - u + 1) times the u-th smallest p (Benjamini & Heller 2008). *At no loss* of another metric is
non-inferiority: the lower bound of its difference is above minus its margin. With networks as units, each pair of arms
is one observation, its mean over replicates.

A claim on at least u of k data sets is refuted if on at least k - u + 1 of them the difference is on the other side,
and negligible if on so many all that it compares is within the margin: then fewer than u are left on which it could
matter. On those the difference may be of any size. Any other claim is negligible if all its differences are.
"""

from dataclasses import dataclass, replace

from selfdoubt.evaluation import comparisons, warnings
from selfdoubt.evaluation.arms import Arms
from selfdoubt.evaluation.comparisons import Compared, Quantity
from selfdoubt.settings.metrics import margin, metric


@dataclass(frozen=True)
class Evidence:
    """p-values for a claim, against it, and for a negligible difference; each may be too large, but not too small."""

    supporting: float
    opposing: float
    negligible: float


@dataclass(frozen=True)
class Component:
    """One comparison of which a claim is made, and those of what must not be lost."""

    dataset: str
    better: str
    than: str
    quantity: Quantity
    compared: Compared
    margin: float | None  # None where there is no value of what is compared with
    parts: tuple[float | None, float | None]  # of a difference of AUGRC: accuracy, ranking
    warning: str | None = None  # what a claim by it lacks
    losses: tuple["Component", ...] = ()
    repeated: tuple["Component", ...] = ()  # by other scores, and by AUGRC, whose difference has parts

    @property
    def side(self) -> int:
        """+1 where a positive difference is claimed, else -1."""
        return metric(self.quantity[0]).better

    def evidence(self) -> Evidence | None:
        """Return its p-values; None where it, or a comparison that must show no loss, could not be made."""
        found = self.compared.contrast
        kept = [loss.p_kept() for loss in self.losses]
        if None in kept or not (found or self.compared.identical):
            return None
        if not found:
            return Evidence(1.0, 1.0, 0.0)
        for_it, against = (found.p, 1.0) if found.difference * self.side > 0 else (1.0, found.p)
        return Evidence(max([for_it, *kept]), against, found.p_within(self.margin))

    def p_kept(self) -> float | None:
        """Return the p of the claim that nothing is lost beyond the margin; None where it could not be compared."""
        found = self.compared.contrast
        if not found:
            return 0.0 if self.compared.identical else None
        return found.p_above(-self.margin) if self.side > 0 else found.p_below(self.margin)

    def row(self) -> dict:
        """Return the columns of the table "comparisons" but for the study's and those of its family."""
        name, score, split = self.quantity
        place = {"dataset": self.dataset, "better": self.better, "than": self.than}
        parts = dict(zip(("accuracy_part", "ranking_part"), self.parts, strict=True))
        return place | {"metric": name, "score": score, "split": split} | self.compared.row() | parts


def components(claim, study, arms: Arms, settings) -> list[Component]:
    """Return the comparisons that a claim about the data set of the settings is made of."""
    networks = claim.units == "networks"
    each = [list(claim.pairs)] if networks else [[pair] for pair in claim.pairs]
    return [_component(claim, pairs, study, arms, settings) for pairs in each]


def _component(claim, pairs: list[tuple[str, str]], study, arms: Arms, settings) -> Component:
    units = [arms.pairs(*pair, study.replicates) for pair in pairs]
    names = [", ".join(pair[side] for pair in pairs) for side in (0, 1)]

    def of(name: str, score: str, split: str, given: float | None, **further) -> Component:
        compared, parts = _compared(units, (name, score, split), claim.units, settings.overlap)
        return _placed(settings.dataset, names, (name, score, split), given, compared, parts, **further)

    losses = [of(loss.metric, loss.score, loss.split or claim.split, loss.margin) for loss in claim.no_loss]
    repeated = [of(claim.metric, score, claim.split, claim.margin) for score in claim.repeated_by]
    repeated += [of(*quantity, None) for quantity in parted(claim)]
    found = of(claim.metric, claim.score, claim.split, claim.margin, losses=tuple(losses), repeated=tuple(repeated))
    sides = [side for pairs in units for pair in pairs for side in pair]
    return replace(found, warning=warnings.of_claim(claim.metric, claim.split, sides, found.compared.difference))


def parted(claim) -> list[Quantity]:
    """Return what splits a claim about a ranking into accuracy and ranking: AUGRC, unless the claim is by it."""
    is_split = claim.units != "networks" and claim.metric != "augrc" and metric(claim.metric).kind == "ranking"
    return [("augrc", claim.score, claim.split)] if is_split else []


def explored(arm: str, what, study, arms: Arms, settings) -> Component:
    """Return an exploratory comparison of an arm with its study's reference."""
    quantity, names = (what.metric, what.score, what.split), [arm, study.reference]
    units = [arms.pairs(*names, study.replicates)]
    compared, parts = _compared(units, quantity, "replicates", settings.overlap)
    return _placed(settings.dataset, names, quantity, None, compared, parts)


def _compared(units: list, quantity: Quantity, kind: str, overlap: float) -> tuple[Compared, tuple]:
    """Return the comparison, and the parts of a difference of AUGRC; units: (better, than) of replicates, by pair."""
    if kind == "networks":
        return comparisons.compare_units(units, quantity), (None, None)
    return comparisons.compare(units[0], quantity, overlap), comparisons.augrc_parts(units[0], quantity)


def _placed(dataset, names, quantity, given: float | None, compared, parts, **further) -> Component:
    smallest = given
    if given is None and compared.reference is not None:
        smallest = margin(quantity[0], compared.reference)
    return Component(dataset, *names, quantity, compared, smallest, parts, **further)


def together(groups: list[list[Component]], on_at_least: int | None) -> Evidence | None:
    """Return the joint evidence for a claim from its comparisons; None where one could not be made.

    groups: of each data set that the claim is about.
    """
    evidence = [[component.evidence() for component in group] for group in groups]
    if any(each is None for group in evidence for each in group):
        return None
    on_each = [_all_of(group) for group in evidence]
    return on_each[0] if on_at_least is None else _at_least(on_at_least, on_each)


def _all_of(members: list[Evidence]) -> Evidence:
    """Return the evidence of a claim that holds if each of its members does."""
    opposing = min(1.0, len(members) * min(each.opposing for each in members))
    return Evidence(max(each.supporting for each in members), opposing, max(each.negligible for each in members))


def _at_least(u: int, members: list[Evidence]) -> Evidence:
    """Return the evidence of a claim that holds if at least u of its k members do, and fails, or is negligible, if
    k - u + 1 do.
    """
    k = len(members)

    def conjunction(n: int, p_values: list[float]) -> float:
        return min(1.0, (k - n + 1) * sorted(p_values)[n - 1])

    fail = k - u + 1
    return Evidence(
        conjunction(u, [each.supporting for each in members]),
        conjunction(fail, [each.opposing for each in members]),
        conjunction(fail, [each.negligible for each in members]),
    )

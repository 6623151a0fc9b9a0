"""Checks of hypotheses and manipulation checks: that what they compare exists, differs and fits together."""

from collections import Counter
from collections.abc import Callable, Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_claimed_datasets, check_known, check_own_name, check_unique
from selfdoubt.settings.information_claims import check_information_claims
from selfdoubt.settings.mask_checks import check_mask_checks


def claims_of(study) -> Iterator[tuple]:
    """Yield (place in the config, claim) of every hypothesis and manipulation check."""
    for section in ("hypotheses", "manipulation_checks"):
        yield from ((f"{section}.{key}", claim) for key, claim in getattr(study, section).items())


def arms_on_splits(study) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (place in the config, split, arms) of every quantity of a claim, and of every figure of one split."""
    for place, claim in claims_of(study):
        yield from ((place, quantity.split, claim.arms()) for quantity in claim.quantities())
    for key, figure in study.figures.items():
        if split := getattr(figure, "split", None):
            yield f"figures.{key}", split, figure.shown_arms(study)


def check_claims(study, check_comparison: Callable, check_contender: Callable) -> Iterator[tuple]:
    """Yield (check, arguments) of all claims.

    check_comparison: of (place, comparison, study). check_contender: of (place, arm, study), that an arm is no upper
    bound.
    """
    for key in study.manipulation_checks:
        yield check_own_name, "manipulation_checks", key, study, ("hypotheses",)
    for place, claim in claims_of(study):
        yield check_known, f"{place}.study", claim.study, study.studies, "a study"
        yield _check_pairs, place, claim
        for better, _ in claim.pairs():
            yield check_contender, f"{place}.better", better, study
        yield check_comparison, place, claim, study
        for i, compared in enumerate(claim.quantities()[1:]):
            yield check_comparison, f"{place}.no_loss.{i}", compared, study
        yield from check_claimed_datasets(place, claim, study)
    yield _check_one_primary, study
    yield from check_mask_checks(study)
    yield from check_information_claims(study)


def _check_pairs(place: str, claim) -> None:
    if claim.units == "networks":
        sides = [side if isinstance(side, list) else [side] for side in (claim.better, claim.than)]
        if len(sides[0]) != len(sides[1]):
            raise UserError(f"config: {place}.than: {len(sides[1])} arms, but better has {len(sides[0])}; name pairs")
        check_unique(f"{place}.better", [*sides[0], *sides[1]])  # a network in two pairs would count as two
    for better, than in claim.pairs():
        if better == than:
            raise UserError(f"config: {place}.than: '{than}' is also what is to be better; name another arm")
    check_unique(f"{place}.better", claim.pairs())


def _check_one_primary(study) -> None:
    primary = {key: claim.study for key, claim in study.hypotheses.items() if claim.primary}
    several = [name for name, n in Counter(primary.values()).items() if n > 1]
    if several:
        second = [key for key, name in primary.items() if name == several[0]][1]
        raise UserError(f"config: hypotheses.{second}.primary: the study '{several[0]}' has another; keep one")

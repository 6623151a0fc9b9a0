"""The comparisons of one data set's arms: of every arm with its study's reference, and of every claim.

Exploratory comparisons are those of every arm with the study's reference, but none on val of arms whose images are
attacked on all other splits.
"""

from itertools import product

from selfdoubt.evaluation import claims
from selfdoubt.evaluation.arms import Arms
from selfdoubt.evaluation.comparisons import Quantity, needed_for_parts
from selfdoubt.evaluation.contrast_rows import rows_of


def compare_arms(paths: list, settings) -> list[dict]:
    """Return the rows of the table "contrasts": of each study its exploratory comparisons, then those of its claims.

    paths: predictions of arms, then their replicates, in the order of the settings, whose claims are those that are
    about this data set.
    """
    arms = Arms(paths, settings, {arm.name: quantities(arm.name, settings) for arm in settings.arms})
    rows = []
    for study in settings.studies:
        for arm, what in product(study.arms, settings.comparisons):
            if _is_made(what, [arm, study.reference], settings):
                rows += rows_of(claims.explored(arm, what, study, arms, settings), study.name, None)
        for claim in (claim for claim in settings.claims if claim.study == study.name):
            for component in claims.components(claim, study, arms, settings):
                rows += rows_of(component, study.name, claim.name)
    return rows


def quantities(arm: str, settings) -> list[Quantity]:
    """Return all quantities by which an arm is compared."""
    explored = any(arm in (study.reference, *study.arms) for study in settings.studies)
    wanted = [(each.metric, each.score, each.split) for each in settings.comparisons] if explored else []
    for claim in settings.claims:
        if any(arm in pair for pair in claim.pairs):
            wanted += [(claim.metric, score, claim.split) for score in (claim.score, *claim.repeated_by)]
            wanted += claims.parted(claim)
            wanted += [(loss.metric, loss.score, loss.split or claim.split) for loss in claim.no_loss]
    wanted += [part for quantity in wanted for part in needed_for_parts(quantity)]
    return list(dict.fromkeys(wanted))


def _is_made(comparison, arms: list[str], settings) -> bool:
    """Return whether a comparison is made of arms: not on val if one of them is attacked on all other splits."""
    return comparison.split != "val" or not {*arms} & {*getattr(settings, "attacked", [])}

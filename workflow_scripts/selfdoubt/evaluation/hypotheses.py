"""Hypotheses, manipulation checks and exploratory comparisons of studies: from contrasts to tables and verdicts.

Of each study one claim may be primary, and is tested at the study's whole level; all others are one family, within
which p is corrected, whatever the primary's verdict. A manipulation check is a known effect, tested by itself.
Exploratory comparisons of one data set that are in no claim, whichever arm it claims to be better, are a family, and
get no verdict. Arms that are identical on every image are in no family.
"""

from itertools import product

from selfdoubt.evaluation import claims, families, power
from selfdoubt.evaluation.claims import Component
from selfdoubt.evaluation.contrast_rows import components_of
from selfdoubt.evaluation.verdicts import Outcome, verdict

_NO_NUMBERS = dict.fromkeys(("n_replicates_needed", "n_replicates_negligible"))
_NO_CLAIM = dict.fromkeys(("margin", "low_family", "high_family")) | _NO_NUMBERS


def decide(contrasts: list[dict], settings) -> dict[str, list[dict]]:
    """Return the rows of the tables "comparisons" and "hypotheses".

    contrasts: rows of the tables of contrasts of all data sets (`compared_arms`, `mask_checks`).
    """
    places: dict[tuple, list[dict]] = {}
    for row in contrasts:
        places.setdefault((row["dataset"], row["study"], row["hypothesis"]), []).append(row)
    found = {place: components_of(rows) for place, rows in places.items()}
    tables = {"comparisons": [], "hypotheses": []}
    for dataset, study in product(settings.datasets, settings.studies):
        tables["comparisons"] += _explored(dataset, study, found, settings)
    for study in settings.studies:
        of_study = [claim for claim in settings.claims if claim.study == study.name]
        checks = [check for check in getattr(settings, "mask_checks", []) if check.study == study.name]
        groups = [found[check.dataset, check.study, check.name] for check in checks]
        outcomes = [
            Outcome(check, [group], claims.together([group], None)) for check, group in zip(checks, groups, strict=True)
        ]
        outcomes += [outcome for claim in of_study for outcome in _outcomes(claim, found, settings)]
        for role in ("check", "primary", "secondary"):
            family = [outcome for outcome in outcomes if outcome.claim.role == role]
            for members in [[each] for each in family] if role == "check" else [family]:
                rows = _family(members, study.alpha, settings)
                tables["hypotheses"] += rows
                for outcome, row in zip(members, rows, strict=True):
                    tables["comparisons"] += _comparisons_of(outcome, row, _smallest_level(members, study.alpha))
    return tables


def _explored(dataset: str, study, contrasts: dict[tuple, list[Component]], settings) -> list[dict]:
    found = contrasts.get((dataset, study.name, None), [])
    rows = [component.row() for component in found]
    claimed = {
        (frozenset(pair), (claim.metric, claim.score, claim.split))
        for claim in settings.claims
        if claim.study == study.name and dataset in (claim.datasets or settings.datasets)
        for pair in claim.pairs
    }
    made = [
        row
        for row, component in zip(rows, found, strict=True)
        if not component.compared.identical
        and component.better not in settings.upper_bounds
        and (frozenset((component.better, component.than)), component.quantity) not in claimed
    ]
    corrected = families.holm([row["p"] for row in made])
    of_study = {"study": study.name, "hypothesis": None, "repeats": False, "p_holm": None} | _NO_CLAIM
    for row in rows:
        row |= of_study
    for row, p in zip(made, corrected, strict=True):
        row["p_holm"] = p
    return rows


def _outcomes(claim, contrasts: dict[tuple, list[Component]], settings) -> list[Outcome]:
    """Return one outcome for each data set, or one in all where the claim is about several together."""
    groups = [contrasts[dataset, claim.study, claim.name] for dataset in claim.datasets or settings.datasets]
    together = [groups] if claim.on_at_least else [[group] for group in groups]
    return [Outcome(claim, each, claims.together(each, claim.on_at_least)) for each in together]


def _family(outcomes: list[Outcome], alpha: float, settings) -> list[dict]:
    """Return the rows of a family of claims, corrected for its size."""
    tested = [outcome for outcome in outcomes if not outcome.identical]
    p_values = [outcome.p for outcome in tested]
    negligible = [outcome.evidence.negligible if outcome.evidence else None for outcome in tested]
    columns = {
        "p_holm": families.holm(p_values),
        "p_negligible_holm": families.holm(negligible),
        "level": families.levels(p_values, alpha),
    }
    of_each = {id(outcome): {key: values[i] for key, values in columns.items()} for i, outcome in enumerate(tested)}
    nothing = dict.fromkeys(columns)
    smallest = _smallest_level(outcomes, alpha)
    return [_row(outcome, of_each.get(id(outcome), nothing), alpha, smallest, settings) for outcome in outcomes]


def _smallest_level(outcomes: list[Outcome], alpha: float) -> float:
    """Return the level at which the first member of a family is tested."""
    return alpha / max(1, sum(not outcome.identical for outcome in outcomes))


def _row(outcome: Outcome, corrected: dict, alpha: float, smallest: float, settings) -> dict:
    claim, weakest, evidence = outcome.claim, outcome.weakest(), outcome.evidence
    row = weakest.row() | corrected | _at_level(weakest, corrected["level"]) | {"alpha": alpha}
    if len(outcome.components) > 1:
        row |= {
            side: ", ".join(dict.fromkeys(getattr(c, side) for c in outcome.components)) for side in ("better", "than")
        }
        row["dataset"] = ", ".join(dict.fromkeys(component.dataset for component in outcome.components))
    row |= {
        "study": claim.study,
        "hypothesis": claim.name,
        "role": claim.role,
        "statement": claim.statement,
        "registered": claim.registered,
        "units": claim.units,
        "n_components": len(outcome.components),
        "on_at_least": claim.on_at_least,
        "p_negligible": evidence.negligible if evidence and not outcome.identical else None,
        "p_no_loss": _largest_p([loss.p_kept() for loss in weakest.losses if not loss.compared.identical]),
        "warning": _warning(outcome),
        "verdict": verdict(outcome, corrected, alpha, settings),
    }
    return row | (_needed(weakest, outcome, row["verdict"], smallest) if row["n_components"] == 1 else _NO_NUMBERS)


def _warning(outcome: Outcome) -> str | None:
    """Return what one of a claim's comparisons lacks, and where, if the claim is about several data sets."""
    warned = next((component for component in outcome.components if component.warning), None)
    if warned is None:
        return None
    several = len({component.dataset for component in outcome.components}) > 1
    return f"{warned.warning} (on {warned.dataset})" if several else warned.warning


def _largest_p(p_values: list[float | None]) -> float | None:
    """Return the largest p; None if there are none, or one could not be computed."""
    return None if None in p_values else max(p_values, default=None)


def _at_level(component: Component, level: float | None) -> dict:
    """Return the margin of a comparison, and its interval at the level at which its claim is tested; None: at none."""
    found = component.compared.contrast
    low, high = found.interval(1 - level) if found and level else (None, None)
    return {"margin": component.margin, "low_family": low, "high_family": high}


def _needed(component: Component, outcome: Outcome, found: str, level: float) -> dict:
    """Return with how many replicates a comparison of an open claim would be decided, and a true 0 called negligible.

    found: the verdict. level: of its family. On at least u of k data sets the joint p is k - u + 1 times that of a
    comparison, and u times that of being negligible, so these are tested at so much smaller levels.
    """
    contrast, u = component.compared.contrast, outcome.claim.on_at_least
    if contrast is None:
        return _NO_NUMBERS
    n_against = 1 if u is None else len(outcome.groups) - u + 1
    needed = _n_needed(component, level / n_against) if found == "inconclusive" else None
    negligible = power.n_for_equivalence(contrast, component.margin, level / (u or 1))
    return {"n_replicates_needed": needed, "n_replicates_negligible": negligible}


def _n_needed(component: Component, level: float) -> int | None:
    """Return with how many replicates the difference is found, and that nothing is lost; None if no number would do."""
    needed = [power.n_for_difference(component.compared.contrast, level)]
    for loss in component.losses:
        if loss.compared.contrast and (loss.p_kept() or 0.0) >= level:
            needed.append(power.n_for_no_loss(loss.compared.contrast, loss.margin, loss.side, level))
    return None if None in needed else max(needed)


def _comparisons_of(outcome: Outcome, row: dict, smallest: float) -> list[dict]:
    """Return the rows of a claim's comparisons: what it is about, what must not be lost, and by further scores.

    row: of HYPOTHESES. smallest: the level at which the first member of its family is tested.
    """
    alone = len(outcome.components) == 1
    known = {"study": outcome.claim.study, "hypothesis": outcome.claim.name, "repeats": False, "p_holm": None}
    known |= _NO_CLAIM
    rows = []
    for component in outcome.components:
        own = _at_level(component, row["level"]) | _needed(component, outcome, row["verdict"], smallest)
        rows.append(component.row() | known | own | {"p_holm": row["p_holm"] if alone else None})
        rows += [each.row() | known | _at_level(each, row["level"]) for each in component.losses]
        rows += [each.row() | known | {"repeats": True} for each in component.repeated]
    return rows

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
                    tables["comparisons"] += _comparisons_of(outcome, row)
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
    of_study = {"study": study.name, "hypothesis": None, "repeats": False, "p_holm": None}
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
    smallest = alpha / max(1, len(tested))
    return [_row(outcome, of_each.get(id(outcome), nothing), alpha, smallest, settings) for outcome in outcomes]


def _row(outcome: Outcome, corrected: dict, alpha: float, smallest: float, settings) -> dict:
    claim, weakest, evidence = outcome.claim, outcome.weakest(), outcome.evidence
    found, level = weakest.compared.contrast, corrected["level"]
    low, high = found.interval(1 - level) if found and level else (None, None)
    row = weakest.row() | corrected | {"low_family": low, "high_family": high, "alpha": alpha}
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
        "margin": weakest.margin,
        "p_negligible": evidence.negligible if evidence and not outcome.identical else None,
        "p_no_loss": _largest_p([loss.p_kept() for loss in weakest.losses if not loss.compared.identical]),
        "warning": next((found for c in outcome.components if (found := c.warning)), None),
        "verdict": verdict(outcome, corrected, alpha, settings),
    }
    return row | _needed(row, weakest, smallest)


def _largest_p(p_values: list[float | None]) -> float | None:
    """Return the largest p; None if there are none, or one could not be computed."""
    return None if None in p_values else max(p_values, default=None)


def _needed(row: dict, component: Component, level: float) -> dict:
    """Return with how many replicates an open claim would be decided, and a true 0 called negligible; level: of its
    family.
    """
    columns = dict.fromkeys(("n_replicates_needed", "n_replicates_negligible"))
    found = component.compared.contrast
    if found is None or row["n_components"] > 1:
        return columns
    if row["verdict"] == "inconclusive":
        columns["n_replicates_needed"] = _n_needed(component, level)
    return columns | {"n_replicates_negligible": power.n_for_equivalence(found, component.margin, level)}


def _n_needed(component: Component, level: float) -> int | None:
    """Return with how many replicates the difference is found, and that nothing is lost; None if no number would do."""
    needed = [power.n_for_difference(component.compared.contrast, level)]
    for loss in component.losses:
        if loss.compared.contrast and (loss.p_kept() or 0.0) >= level:
            needed.append(power.n_for_no_loss(loss.compared.contrast, loss.margin, loss.side, level))
    return None if None in needed else max(needed)


def _comparisons_of(outcome: Outcome, row: dict) -> list[dict]:
    """Return the rows of a claim's comparisons: what it is about, what must not be lost, and by further scores."""
    alone = len(outcome.components) == 1
    known = {"study": outcome.claim.study, "hypothesis": outcome.claim.name}
    rows = []
    for component in outcome.components:
        p_holm = row["p_holm"] if alone else None
        rows.append(component.row() | known | {"repeats": False, "p_holm": p_holm})
        rows += [each.row() | known | {"repeats": False, "p_holm": None} for each in component.losses]
        rows += [each.row() | known | {"repeats": True, "p_holm": None} for each in component.repeated]
    return rows

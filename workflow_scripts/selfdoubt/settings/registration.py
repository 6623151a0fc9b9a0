"""What is registered before a run: the claims of a study, and all on which their verdicts depend but the code.

Replicates, margins, families and the settings of every arm that is named are part of it, with those that they need:
networks, recipes, teachers, members. What is only shown or explored (figures, labels, comparisons) is not.
"""

from selfdoubt.runtime.digests import digest
from selfdoubt.settings.analysis import ALPHA, SCORES
from selfdoubt.settings.claims import claims_of
from selfdoubt.settings.data_folder import named
from selfdoubt.settings.looks import NOMINAL
from selfdoubt.settings.metrics import RELATIVE_MARGIN, metric

_NO_PART = {"models", "protocols", "validate_every"}  # of an entry: to whom it is applied, and what changes no weight

_USES = {  # keys of entries, by the section that they name something of
    "network": "networks",
    "recipe": "recipes",
    "segmenter": "segmenters",
    "teacher": "models",
    "members": "models",
    "fine_tuned_from": "models",
    "siblings": "models",
    "errors_of": "models",
    "attacked_by": "enhancers",
    "trained_against": "enhancers",
}


def registration(study) -> dict:
    """Return what is registered of a checked study, plain values by the config's keys, with their digest."""
    arms = {arm for text in study.studies.values() for arm in (text.reference, *text.arms)}
    arms |= {arm for _, claim in claims_of(study) for arm in claim.arms()}
    arms |= {claim.protocol for claim in study.information_claims.values()}
    found = {
        "run": study.run,
        "replicates": study.replicates,
        "looks": study.looks,
        "studies": {
            key: {"reference": text.reference, "arms": sorted(text.arms), "rounds": text.rounds}
            | ({"round": text.round} if text.rounds > 1 else {})  # files of earlier versions have none
            for key, text in study.studies.items()
        },
        **{
            section: {key: claim.model_dump(exclude={"registered"}) for key, claim in getattr(study, section).items()}
            for section in ("manipulation_checks", "hypotheses")
        },
        "defaults": _defaults(study),
        **_of_no_arm(study),
        **_entries(study, sorted(arms)),
        "datasets": {key: dataset.model_dump() for key, dataset in study.datasets.items()},
        "ood_sets": {key: ood.model_dump() for key, ood in study.ood_sets.items()},
        "soft_labels": study.soft_labels.model_dump(),
        "evaluation": _evaluation(study),
    }
    found = named(_plain(found), study.data_folder)
    return found | {"digest": digest(found, [])}


def _defaults(study) -> dict:
    """Return what the code decides of the claims: levels, and margins where the config gives none."""
    claims = [claim for _, claim in claims_of(study)]
    own = {claim.metric for claim in claims} | {loss.metric for claim in claims for loss in claim.no_loss}
    margins = {name: metric(name).margin for name in sorted(own) if metric(name).margin is not None}
    return {
        "alpha": ALPHA,
        "relative_margin": RELATIVE_MARGIN,
        "margins": margins,
        "level_of_looks": NOMINAL[len(study.looks)],
    }


def _evaluation(study) -> dict:
    """Return the settings of evaluation on which the numbers of claims depend."""
    scores = {claim.score for _, claim in claims_of(study)} & SCORES.keys()
    dropped_out = any(SCORES[score].needs_dropout_passes for score in scores)
    keys = {"ece_bins", "n_resamples"} | ({"mc_dropout_passes"} if dropped_out else set())
    return study.evaluation.model_dump(include=keys)


def _of_no_arm(study) -> dict[str, dict]:
    """Return the checks of masks and the claims about gains, where there are any: earlier files have none."""
    found = {
        section: {key: claim.model_dump(exclude={"registered"}) for key, claim in getattr(study, section).items()}
        for section in ("mask_checks", "information_claims")
    }
    if study.information_claims:
        found["information"] = study.evaluation.information.model_dump()
    return {section: entries for section, entries in found.items() if entries}


def _entries(study, arms: list[str]) -> dict[str, dict]:
    """Return the entries of arms, of segmenters that are checked and of all that they need, by section and name."""
    found: dict[str, dict] = {}
    waiting = [("segmenters", check.segmenter) for check in study.mask_checks.values()]
    for arm in arms:
        name, _, variant = arm.partition("/")
        waiting.append(("groups" if name in study.groups else "models", name))
        if variant:
            waiting.append(("protocols" if name in study.groups else "enhancers", variant))
    while waiting:
        section, name = waiting.pop()
        if name in found.setdefault(section, {}):
            continue
        entry = (study.predicting if section == "models" else getattr(study, section))[name].model_dump()
        found[section][name] = {key: value for key, value in entry.items() if key not in _NO_PART}
        for key, used in _USES.items():
            named = entry.get(key)  # a dict: what is described in the entry itself, such as the network of `deep`
            names = [named] if isinstance(named, str) else named if isinstance(named, list | tuple) else []
            waiting += [(used, each) for each in names]
    return {section: dict(sorted(found[section].items())) for section in sorted(found)}


def _plain(value):
    """Return a value as a file of JSON gives it back: no tuples, no nulls."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value

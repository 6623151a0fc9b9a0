"""How the claims of a study are stated and decided, as the job that decides is given it."""

from selfdoubt.settings import information_claims
from selfdoubt.settings.mask_checks import datasets_of
from selfdoubt.settings.study import Study, parse_arm


def decision_settings(study: Study) -> dict:
    """Return the settings of test_hypotheses: the claims, and the level of each study's families."""
    checks = [mask_check_settings(study, *each) for each in mask_checks(study)]
    return {
        "datasets": sorted(study.datasets),
        "pretrained": _pretrained(study),
        "upper_bounds": [arm for arm in compared_arms(study) if arm in study.upper_bounds()],
        "claims": [
            *(claim_settings(study, *each) for each in claims(study)),
            *(information_settings(study, *each) for each in sorted(study.information_claims.items())),
        ],
        "studies": [{"name": name, "alpha": study.level(name)} for name in sorted(study.studies)],
        **({"mask_checks": checks} if checks else {}),
    }


def _pretrained(study: Study) -> list[str]:
    """Return the arms of models that were trained elsewhere, and what claims about their gains compare them with."""
    found = [arm for arm in compared_arms(study) if study.is_pretrained(parse_arm(arm)[0])]
    informed = {claim.protocol for claim in study.information_claims.values()}
    informed = {protocol for protocol in informed if study.is_pretrained(parse_arm(protocol)[0])}
    return [*found, *sorted(informed - {*found}), *([information_claims.PREDICTIONS] if informed else [])]


def claims(study: Study) -> list[tuple]:
    """Return the name and role of each claim, with the claim: manipulation checks first."""
    found = [(key, "check", claim) for key, claim in sorted(study.manipulation_checks.items())]
    return found + [
        (key, "primary" if claim.primary else "secondary", claim) for key, claim in sorted(study.hypotheses.items())
    ]


def claim_settings(study: Study, name: str, role: str, claim) -> dict:
    """Return what a claim compares, and by which scores it is repeated."""
    known = {"name": name, "role": role, "pairs": claim.pairs(), "repeated_by": study.repeated_by(claim)}
    entry = claim.model_dump(exclude={"better", "than", "primary"})
    entry["datasets"] = sorted(claim.datasets) if claim.datasets else None
    return {"registered": True, **entry, **known}


def information_settings(study: Study, name: str, claim) -> dict:
    """Return what a claim about gains is about, as a claim of two arms has it."""
    known = {"name": name, "role": "secondary", "units": "replicates", "repeated_by": []}
    what = {"metric": information_claims.METRIC, "score": "none", "split": "test", "no_loss": []}
    entry = claim.model_dump(include={"study", "statement", "registered", "on_at_least", "margin"})
    entry["datasets"] = sorted(claim.datasets) if claim.datasets else None
    entry["margin"] = claim.margin or study.evaluation.information.margin
    return known | what | entry | {"pairs": [[claim.protocol, information_claims.PREDICTIONS]]}


def compared_arms(study: Study) -> list[str]:
    """Return the arms that a study or hypothesis compares, in a fixed order."""
    arms = [arm for each in study.studies.values() for arm in (each.reference, *each.arms)]
    arms += [arm for *_, claim in claims(study) for arm in claim.arms()]
    return sorted(set(arms))


def mask_checks(study: Study) -> list[tuple]:
    """Return each check of masks: its name, the check, a data set that it is about, the replicates of the masks."""
    found = []
    for key, check in sorted(study.mask_checks.items()):
        replicates = [study.segmented_by(check.segmenter, each) for each in study.replicates_at(check.study)]
        found += [(key, check, dataset, list(dict.fromkeys(replicates))) for dataset in datasets_of(check, study)]
    return found


def mask_check_settings(study: Study, name: str, check, dataset: str, replicates: list[int]) -> dict:
    """Return what a check of masks is about, as a claim has it."""
    claim = {"name": name, "role": "check", "units": "replicates", "on_at_least": None}
    known = {
        "dataset": dataset,
        "n_replicates": len(replicates),
        "disjoint": study.draws_of(dataset).kind == "disjoint",
    }
    entry = check.model_dump(include={"study", "statement", "registered", "margin"})
    return claim | known | entry | {"pairs": [[check.segmenter, check.than]]}


def is_overlapping(study: Study, dataset: str) -> bool:
    """Return whether replicates are drawn from the same training images, each by itself."""
    return study.draws_of(dataset).kind == "overlapping"

"""Claims of `information_claims`: that what they name exists, and that the information test measures it."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_claimed_datasets, check_known, check_own_name

PREDICTIONS = "members-predictions"  # what gains are compared with: a fit without them
METRIC = "contested-nll"


def check_information_claims(study) -> Iterator[tuple]:
    """Yield (check, arguments) of all claims about what gains say."""
    for key, claim in study.information_claims.items():
        place = f"information_claims.{key}"
        yield check_own_name, "information_claims", key, study, ("hypotheses", "manipulation_checks", "mask_checks")
        yield check_known, f"{place}.study", claim.study, study.studies, "a study"
        yield _check_protocol, place, claim.protocol, study
        yield from check_claimed_datasets(place, claim, study)


def _check_protocol(place: str, arm: str, study) -> None:
    kept = [
        f"{name}/{each}"
        for name, entry in sorted(study.groups.items())
        for each in entry.protocols
        if each in study.protocols and study.protocols[each].keeps_gains
    ]
    check_known(f"{place}.protocol", arm, kept, "a group's protocol that keeps gains")
    if study.evaluation.information is None:
        raise UserError(f"config: {place}: evaluation.information is null; set the test that it is about")

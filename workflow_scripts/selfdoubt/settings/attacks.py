"""Enhancers that are evaluated on attacked images, or trained on them: checks, and which arms they are."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.claims import arms_on_splits


def check_attacks(study) -> Iterator[tuple]:
    """Yield the checks that attacks are entries of the method ace, of the same models, and attack no other attack."""
    for key, enhancer in study.enhancers.items():
        for named, attack in enhancer.attacks().items():
            place = f"enhancers.{key}.{named}"
            yield check_known, place, attack, study.enhancers, "an enhancer"
            yield _check_attack, place, attack, enhancer, study


def attacked_arms(study) -> list[str]:
    """Return the arms whose images are attacked, those of val excepted, by name."""
    attacked = {key: enhancer for key, enhancer in study.enhancers.items() if enhancer.attacked_by}
    return sorted(f"{model}/{key}" for key, enhancer in attacked.items() for model in enhancer.models)


def check_attacked_not_on_val(study) -> Iterator[tuple]:
    """Yield the checks that no claim and no figure has attacked arms on val, whose images are clean.

    Comparisons are of all studies, and leave these out.
    """
    attacked = attacked_arms(study)
    for place, split, arms in arms_on_splits(study):
        yield _check_attacked_split, place, split, [arm for arm in arms if arm in attacked]


def _check_attacked_split(place: str, split: str, attacked: list[str]) -> None:
    if split == "val" and attacked:
        what = f"'{attacked[0]}' is attacked on every split but val"
        raise UserError(f"config: {place}.split: 'val', but {what}; name another split, such as test")


def _check_attack(place: str, attack: str, enhancer, study) -> None:
    entry = study.enhancers.get(attack)
    if entry is None:
        return
    if entry.method != "ace":
        raise UserError(f"config: {place}: '{attack}' is of the method {entry.method}; name one of the method ace")
    if enhancer.reads_labels:
        raise UserError(f"config: {place}: {enhancer.method} reads the true labels itself; remove the key")
    if missing := [model for model in enhancer.models if model not in entry.models]:
        what = f"'{attack}' does not attack '{missing[0]}'"
        raise UserError(f"config: {place}: {what}; add it to enhancers.{attack}.models")

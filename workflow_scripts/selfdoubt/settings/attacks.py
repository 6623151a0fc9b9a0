"""Checks of enhancers that are evaluated on attacked images, or trained on them."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_known


def check_attacks(study) -> Iterator[tuple]:
    """Yield the checks that attacks are entries of the method ace, of the same models, and attack no other attack."""
    for key, enhancer in study.enhancers.items():
        for named, attack in enhancer.attacks().items():
            place = f"enhancers.{key}.{named}"
            yield check_known, place, attack, study.enhancers, "an enhancer"
            yield _check_attack, place, attack, enhancer, study


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

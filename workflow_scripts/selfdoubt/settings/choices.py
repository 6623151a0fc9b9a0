"""Checks that a value is one of those allowed, with one form of message for those that are not."""

import difflib
from collections.abc import Iterable, Iterator

from selfdoubt.runtime.errors import UserError

_MEANT = {"gpu": "cuda"}  # by its letters, "cpu" is nearer


def not_one_of(value, known: Iterable, kind: str) -> str:
    """Return "'vlaue' is not KIND; did you mean 'value'? Choices: value, …"; kind: with its article."""
    names = [str(name) for name in known]
    # "Unet" for "UNet": the same letters first, since difflib takes a capital for another letter
    same = [name for name in names if name.lower() == str(value).lower()]
    near = (
        [name for name in names if name == _MEANT.get(str(value))]
        or same
        or difflib.get_close_matches(str(value), names)
    )
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"'{value}' is not {kind}{hint} Choices: {', '.join(names) or 'none'}"


def check_all_known(place: str, names: list[str], known, kind: str) -> Iterator[tuple]:
    """Yield the checks, with their arguments, that names are known and given once."""
    yield check_unique, place, names
    for name in names:
        yield check_known, place, name, known, kind


def check_known(place: str, name: str, known, kind: str) -> None:
    """Raise UserError if a name is none of the known; kind: what it should be, with its article."""
    if name not in known:
        raise UserError(f"config: {place}: {not_one_of(name, known, kind)}")


def check_unique(place: str, values: list) -> None:
    """Raise UserError if a value is given twice."""
    for value in values:
        if values.count(value) > 1:
            raise UserError(f"config: {place}: {value} is given twice; remove one")


def check_own_name(section: str, key: str, study, others: tuple[str, ...]) -> None:
    """Raise UserError if a claim has the name of one in another section: tables know claims by their names alone."""
    for other in others:
        if key in getattr(study, other):
            raise UserError(f"config: {section}.{key}: {other} has this name too; give it another")


def check_claimed_datasets(place: str, claim, study) -> Iterator[tuple]:
    """Yield the checks that a claim's data sets are the study's, and not fewer than it is to hold on."""
    if claim.datasets is not None:
        yield from check_all_known(f"{place}.datasets", claim.datasets, study.datasets, "a data set")
    yield _check_number, place, claim, study


def _check_number(place: str, claim, study) -> None:
    n = len(claim.datasets or study.datasets)
    if claim.on_at_least is not None and claim.on_at_least > n:
        there = "is 1 data set" if n == 1 else f"are {n} data sets"
        raise UserError(f"config: {place}.on_at_least: {claim.on_at_least}, but there {there}; lower it")


def check_replicate(place: str, replicate: int, study) -> None:
    """Raise UserError if a replicate is none of the study's."""
    if replicate not in study.replicates:
        raise UserError(f"config: {place}: {replicate} is not one of replicates {study.replicates}")

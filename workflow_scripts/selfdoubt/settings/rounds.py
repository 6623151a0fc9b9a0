"""Registered rounds of a study: at most three, each on fresh replicates and at its part of the level.

`rounds: 3` stands in a study's entry from its first registration on, `round: 2` beside it is the present one. The
registration of a later round records those before it under `earlier`, so that the parts of the level cannot add up to
more than the level. A study that is given another name escapes that; git shows it.
"""

from pathlib import Path
from typing import NamedTuple

from selfdoubt.runtime.errors import UserError


class Round(NamedTuple):
    """The registered round of a study that has more than one."""

    study: str
    number: int
    of: int
    earlier: tuple[str, ...]  # commits of those before it

    @property
    def complete(self) -> bool:
        """Whether every earlier round is recorded."""
        return len(self.earlier) == self.number - 1


def rounds_of(registered: dict) -> list[Round]:
    """Return the rounds of a registration, of studies that have more than one."""
    known = registered.get("earlier", [])
    return [
        Round(key, number, of, tuple(each["commit"] for each in known if key in each["studies"]))
        for key, (number, of) in _numbers(registered).items()
        if of > 1
    ]


def earlier_rounds(present: dict, before: dict | None, commit: str | None, n_evaluated: int, file: Path) -> list[dict]:
    """Return the record of the rounds before a registration's; raise UserError where it cannot follow on them.

    present: the registration. before: what its file holds now, if there is one, commit: of it, None where it is not
    committed as it is, n_evaluated: metric tables of its arms and replicates.
    """
    if before is None:
        known = []
    elif further := _advanced(before, present):
        if commit is None:
            raise UserError(f"{file}: holds an earlier round of '{further[0]}', but not as committed; commit it first")
        studies = {key: {"round": number, "rounds": of} for key, (number, of) in _numbers(before).items()}
        record = {"commit": commit, "digest": before.get("digest"), "replicates": _replicates(before)}
        known = [*before.get("earlier", []), record | {"studies": studies}]
    else:
        known = before.get("earlier", [])
        if commit and n_evaluated:
            _check_same_round(present, before, file)
    for key, (number, of) in _numbers(present).items():
        _check_follows(key, number, of, present, [each for each in known if key in each["studies"]], file)
    return known


def _numbers(registered: dict) -> dict[str, tuple[int, int]]:
    """Return (round, rounds) of each study; files of earlier versions have no round."""
    studies = registered.get("studies", {}).items()
    return {key: (entry.get("round", 1), entry.get("rounds", 1)) for key, entry in studies}


def _replicates(registered: dict) -> list[int]:
    return registered.get("replicates", [])


def _advanced(before: dict, present: dict) -> list[str]:
    """Return the studies whose round is later than it was."""
    numbers = _numbers(present)
    return [key for key, (number, _) in _numbers(before).items() if key in numbers and numbers[key][0] > number]


def _check_same_round(present: dict, before: dict, file: Path) -> None:
    """Raise UserError if a round that was registered and evaluated is registered again as another."""
    was = _numbers(before)
    for key, (number, of) in _numbers(present).items():
        if key in was and was[key] != (number, of):
            raise UserError(
                f"config: studies.{key}: round {number} of {of}, but {file} has round {was[key][0]} of {was[key][1]}, "
                "which is evaluated; keep its rounds"
            )
    if not {*_replicates(before)} & {*_replicates(present)}:
        key = next(iter(present["studies"]), "NAME")
        raise UserError(
            f"config: replicates: those that {file} registers are evaluated, and fresh ones are a further round; "
            f"set studies.{key}.round, of the rounds that it has, or give a new question a config of its own"
        )


def _check_follows(key: str, number: int, of: int, present: dict, known: list[dict], file: Path) -> None:
    """Raise UserError if a study's round is not the next one; known: the records of its earlier rounds."""
    place = f"config: studies.{key}"
    if number > len(known) + 1:
        raise UserError(f"{place}.round: {number}, but {file} registers no round {number - 1}; restore it from git")
    if not known:
        return
    last = known[-1]
    registered = f"round {len(known)} was registered in commit {last['commit']}"
    if number < len(known) + 1:
        raise UserError(f"{place}.round: {number}, but {registered}; set {len(known) + 1}, or remove the study")
    if of != last["studies"][key]["rounds"]:
        was = last["studies"][key]["rounds"]
        raise UserError(f"{place}.rounds: {of}, but {registered} with rounds: {was}; set it back")
    seen = {replicate for each in known for replicate in each["replicates"]}
    if again := sorted(seen & {*present["replicates"]}):
        raise UserError(f"config: replicates: {again[0]} is of an earlier round of '{key}'; a round has fresh ones")

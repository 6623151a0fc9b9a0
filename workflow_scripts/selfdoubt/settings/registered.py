"""What was registered, read again and compared with the present study; jobs need it without the types of the config."""

import json
from pathlib import Path

from selfdoubt.runtime.errors import UserError

_LATER = {"ood_sets", "soft_labels", "defaults"}  # sections that files of earlier versions lack


def read_registration(path: Path) -> dict:
    """Return what a file holds that was written by `snakemake register`; raise UserError at any other."""
    try:
        registered = json.loads(path.read_text())
    except ValueError:
        registered = None
    if not isinstance(registered, dict):
        raise UserError(f"{path}: is no registration; restore it from git, or delete it")
    return registered


def differences(registered: dict, present: dict) -> list[str]:
    """Return the keys, with dots, at which what is evaluated is not what was registered."""
    apart = {"digest", "evaluated_before", "earlier", *(_LATER - {*registered})}
    return [key for key in _differing(registered, present, "") if key.partition(".")[0] not in apart]


def _differing(registered: dict, present: dict, place: str) -> list[str]:
    found = []
    for key in dict.fromkeys([*registered, *present]):
        one, other = registered.get(key), present.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += _differing(one, other, f"{place}{key}.")
        elif one != other:
            found.append(f"{place}{key}")
    return found

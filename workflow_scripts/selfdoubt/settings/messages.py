"""A fault that pydantic found in the config, told in one line that names the key and the remedy."""

import difflib
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails


def one_line(errors: list[ErrorDetails], config: dict, root: type[BaseModel]) -> str:
    """Return "config: key.of.key: what is wrong; what to do" for the first of pydantic's errors."""
    # A misspelt key is also a missing one; the misspelling is what helps.
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    keys = _keys(first["loc"], config)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"config: {'.'.join(keys)}: {_complaint(first, root)}{more}"


def _keys(location: tuple, config) -> list[str]:
    """Return the keys of a location as the user wrote them, without pydantic's marks for unions."""
    keys, here = [], config
    for i, key in enumerate(location):
        last = i == len(location) - 1
        if isinstance(here, dict) and (key in here or last) and key != "[key]":
            here = here.get(key)
        elif isinstance(here, list) and isinstance(key, int):
            here = here[key]
        else:
            continue
        keys.append(str(key))
    return keys


def _complaint(error: ErrorDetails, root: type[BaseModel]) -> str:
    value = error["input"]
    match error["type"]:
        case "extra_forbidden":
            return _stray(error["loc"], root)
        case "missing":
            return "this key is missing; add it"
        case "string_pattern_mismatch" if "[a-z0-9]+(-[a-z0-9]+)*" in error["ctx"]["pattern"]:
            return f"{value!r} is not a name; use lower-case letters, digits and single '-'"
        case "too_short":
            least = error["ctx"]["min_length"]
            return f"has {len(value)} entries and needs {least} or more; add one, or remove what needs it"
        case "value_error":
            return str(error["ctx"]["error"])
        case "string_pattern_mismatch":
            return f"{value!r} is not one of what can stand here; it must match {error['ctx']['pattern']}"
        case _:
            return f"{error['msg'][0].lower()}{error['msg'][1:]}, found {value!r}"


def _stray(location: tuple, root: type[BaseModel]) -> str:
    """Return what to do about an unknown key: one that other methods have does not apply to this one."""
    if len(location) > 3 and location[-1] in _known_keys((*location[:-3], "", location[-1]), root):
        return f"'{location[-2]}' has no such key; remove it. Keys: {', '.join(_known_keys(location, root))}"
    return f"unknown key; {_near(location, root)}"


def _near(location: tuple, root: type[BaseModel]) -> str:
    key, known = str(location[-1]), _known_keys(location, root)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    # a key with its unit left out or changed: epsilon -> epsilon_255
    near = near or [name for name in known if key.split("_")[0] == name.split("_")[0]]
    return (f"did you mean '{near[0]}'? " if near else "remove it. ") + f"Keys: {', '.join(known)}"


def _known_keys(location: tuple, root: type[BaseModel]) -> list[str]:
    """Return the keys allowed where an unknown one was found, by following the location through the types."""
    here = [root]
    for key in location[:-1]:
        inner = []
        for kind in here:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                if key in kind.model_fields:
                    inner += _models_in(kind.model_fields[key].annotation)
                else:
                    inner.append(kind)  # a name in a mapping or a union's mark: choose by it where it says which
        tagged = [k for k in inner if any(key in get_args(f.annotation) for f in k.model_fields.values())]
        here = tagged or inner
    return sorted({name for kind in here for name in kind.model_fields})


def _models_in(annotation) -> list[type]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _models_in(part)]

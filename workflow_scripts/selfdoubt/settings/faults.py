"""Messages about faults that pydantic found in the config: a line each, with the key and the remedy."""

import difflib
import re
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import not_one_of

RENAMED = {  # keys of earlier configs
    "seeds": "replicates",
    "seed": "replicate",
    "teacher_seed": "teacher_replicate",
    "answers": "target_transform",
    "temperature_unsure": "temperature_at_margin_0",
    "temperature_sure": "temperature_at_margin_1",
}
_TAGS = ("method", "kind", "family", "message")  # keys that distinguish the entries of a union


def faults(errors: list[ErrorDetails], config: dict, root: type[BaseModel]) -> list[UserError]:
    """Return "config: key.of.key: fault; remedy" for pydantic's errors, less those that follow from others."""
    # A misspelt key is reported as a missing key too; the misspelling is the more helpful message.
    errors = sorted(errors, key=lambda error: error["type"] != "extra_forbidden")
    meant, found = _meant(errors, config, root), {}
    for error in errors:
        place = ".".join(map(str, keys_of(_location(error), config)))
        if error["type"] == "default_factory_not_called" or (error["type"] == "missing" and place in meant):
            continue  # either follows from another fault
        found.setdefault(place, _complaint(error, root))
    return [UserError(f"config: {place}: {complaint}") for place, complaint in found.items()]


def _meant(errors: list[ErrorDetails], config: dict, root: type[BaseModel]) -> set[str]:
    """Return the places of the keys that were probably meant by misspelt ones."""
    misspelt = [error["loc"] for error in errors if error["type"] == "extra_forbidden"]
    names = [(place, RENAMED.get(place[-1]) or _nearest(place, root)) for place in misspelt]
    return {".".join(map(str, [*keys_of(place, config)[:-1], name])) for place, name in names}


def keys_of(location: tuple, config) -> list[str | int]:
    """Return the keys of pydantic's location as the user wrote them, without the tags that it adds for unions."""
    keys, here = [], config
    for i, key in enumerate(location):
        mark = _is_class(key) or (isinstance(here, dict) and key in map(here.get, _TAGS))  # of a union
        last = i == len(location) - 1 and not mark
        if isinstance(here, dict) and (key in here or last) and key != "[key]":
            here = here.get(key)
        elif isinstance(here, list) and isinstance(key, int):
            here = here[key]
        else:
            continue
        keys.append(key)
    return keys


def _is_class(key: str | int) -> bool:
    """Return whether a key of a location is the mark of a class in a union: keys of the config are lower-case."""
    return isinstance(key, str) and key[:1].isupper()


def _location(error: ErrorDetails) -> tuple:
    """Return where the fault is: of an entry of unknown kind, the key that names the kind."""
    by_kind = error["type"] in ("union_tag_invalid", "union_tag_not_found")
    return (*error["loc"], _quoted(error["ctx"]["discriminator"])[0]) if by_kind else error["loc"]


def _quoted(text: str) -> list[str]:
    return re.findall(r"'([^']*)'", text)


def _complaint(error: ErrorDetails, root: type[BaseModel]) -> str:
    value, context = error["input"], error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return _stray(error["loc"], root)
        case "missing":
            return "this key is missing; add it"
        case "union_tag_not_found":
            return "this key is missing; add it"
        case "union_tag_invalid":
            key = _quoted(context["discriminator"])[0]
            return not_one_of(context["tag"], _quoted(context["expected_tags"]), f"a {key}")
        case "literal_error":
            known = _quoted(context["expected"]) or re.findall(r"\d+", context["expected"])
            return not_one_of(value, known, "a choice here")
        case "dict_type" | "model_type" | "model_attributes_type":
            return f"needs keys with values (key: value), found {value!r}"
        case "list_type":
            return f"needs a list ([{value}]), found {value!r}"
        case "string_pattern_mismatch":
            return _misshapen(value, context["pattern"])
        case "too_short":
            least = context["min_length"]
            return f"has {len(value)} entries and needs {least} or more; add one, or remove what needs it"
        case "value_error":
            return str(context["error"])
        case _:
            return f"{error['msg'][0].lower()}{error['msg'][1:]}, found {value!r}"


def _misshapen(value: str, pattern: str) -> str:
    if "[a-z0-9]+(-[a-z0-9]+)*" in pattern:
        return f"{value!r} is not a name; use lower-case letters, digits and single '-'"
    if re.search(pattern, value.lower()):
        return f"{value!r} is not allowed here; did you mean '{value.lower()}'?"
    return f"{value!r} is not a choice here; it must match {pattern}"


def _stray(location: tuple, root: type[BaseModel]) -> str:
    """Return what to do about an unknown key: rename it, correct it, or remove it if only other methods have it."""
    if (renamed := RENAMED.get(location[-1])) in _known_keys(location, root):
        return f"this key is called '{renamed}' now; rename it"
    if (
        len(location) > 3
        and not _is_class(location[-2])
        and location[-1] in _known_keys((*location[:-3], "", location[-1]), root)
    ):
        return f"'{location[-2]}' has no such setting; remove it. Keys: {', '.join(_known_keys(location, root))}"
    return f"unknown key; {_near(location, root)}"


def _near(location: tuple, root: type[BaseModel]) -> str:
    near = _nearest(location, root)
    return (f"did you mean '{near}'? " if near else "remove it. ") + f"Keys: {', '.join(_known_keys(location, root))}"


def _nearest(location: tuple, root: type[BaseModel]) -> str | None:
    key, known = str(location[-1]), _known_keys(location, root)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
    # a key with its unit left out or changed: epsilon -> epsilon_255
    near = near or [name for name in known if key.split("_")[0] == name.split("_")[0]]
    return near[0] if near else None


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
                    inner.append(kind)  # a name in a mapping, or a union's tag: it may choose among the types
        tagged = [k for k in inner if k.__name__ == key]
        tagged = tagged or [k for k in inner if any(key in get_args(f.annotation) for f in k.model_fields.values())]
        here = tagged or inner
    return sorted({field.alias or name for kind in here for name, field in kind.model_fields.items()})


def _models_in(annotation) -> list[type]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _models_in(part)]

"""One wording for a value that is none of those which can stand in its place."""

import difflib
from collections.abc import Iterable

_MEANT = {"gpu": "cuda"}  # by its letters it would be cpu


def not_one_of(value, known: Iterable, kind: str) -> str:
    """Return "'vlaue' is not KIND; did you mean 'value'? Choices: value, …"; kind: with its article."""
    names = [str(name) for name in known]
    # "Unet" for "UNet": the same letters first, since difflib takes a capital for another letter
    same = [name for name in names if name.lower() == str(value).lower()]
    near = [name for name in names if name == _MEANT.get(value)] or same or difflib.get_close_matches(str(value), names)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    return f"'{value}' is not {kind}{hint} Choices: {', '.join(names) or 'none'}"

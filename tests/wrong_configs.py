"""Wrong configs and what is said of them, for the tests of settings."""

import pytest

from selfdoubt.errors import UserError
from selfdoubt.settings import load_study


def faults(config: dict) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_study(config)
    return str(caught.value).splitlines()


def fault(config: dict) -> str:
    (only,) = faults(config)
    return only


def put(config: dict, place: str, value) -> dict:
    """Set the value at "section.key.key"; None removes it."""
    *parents, last = place.split(".")
    here = config
    for key in parents:
        here = here[key]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return config

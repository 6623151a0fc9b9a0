"""Wrong configs and the messages about them, for the tests of settings."""

import re

import pytest

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.study import load_study

STYLE = {"width_mm": 100, "height_mm": 80}
SIZES = {"kind": "object-size", "study": "mask-cutmix", "arms": ["ce", "cutmix"], "split": "test", "score": "msp"}
SIZES |= {"n_bins": 4, "style": STYLE}
ACE = {"method": "ace", "models": ["ce"], "epsilon_255": 2, "n_halvings": 4}
LOGISTIC = {"method": "clean-logistic", "models": ["ce"], "l2_penalty": [0.1], "n_folds": 3}
ONE_WAY = {"method": "one-way", "message": "gradient", "epsilon_255": 8, "n_steps": 1, "n_candidates": 2}
ONE_WAY |= {"contested_below": 0.7, "sender": "ce", "listener": "kd"}


def faults(config: dict) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_study(config)
    return str(caught.value).splitlines()


def fault(config: dict) -> str:
    (only,) = faults(config)
    return only


def check_message(message: str, expected: str) -> None:
    """Check that a message is one line with the key, quoted words and numbers of `expected`; its wording is free."""
    key = re.match(r"(?:config: )?([\w.-]+: )?", expected)[1] or ""
    words = re.findall(r"'[^']+'|\d+\.?\d*", expected)
    missing = [word for word in [key, *words] if word not in message]
    assert message.startswith("config: ") and "\n" not in message and not missing, (message, missing)


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

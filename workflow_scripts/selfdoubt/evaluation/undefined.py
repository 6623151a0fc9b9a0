"""Numbers that do not exist, the division by which most of them come about, and how the reason is handed on."""

from collections.abc import Callable

import numpy as np


class Undefined(Exception):
    """A number that does not exist; the text is the reason."""


def count(samples) -> int:
    """Return the number of samples; raises Undefined if there are none."""
    if len(samples) == 0:
        raise Undefined("no samples")
    return len(samples)


def quotient(above, below, reason: str):
    """Return above / below; where below is 0, NaN in an array, Undefined(reason) for a single number."""
    if np.ndim(below):
        return np.divide(above, below, out=np.full(np.shape(below), np.nan), where=below != 0)
    if below == 0:
        raise Undefined(reason)
    return above / below


def attempt(function: Callable, *inputs):
    """Return function(*inputs), or the Undefined that it raises or is given."""
    for value in inputs:
        if isinstance(value, Undefined):
            return value
    try:
        return function(*inputs)
    except Undefined as reason:
        return reason.with_traceback(None)  # whose frames would keep the logits in memory

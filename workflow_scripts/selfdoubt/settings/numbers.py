"""Numbers as people write them: 1e-3 is a text to YAML 1.1, and so is all that `snakemake --config` puts in a list."""

import math
import re

from pydantic_core import ErrorDetails

from selfdoubt.settings.faults import keys_of

_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def put_numbers(config: dict, errors: list[ErrorDetails]) -> bool:
    """Put numbers in place of texts that read as such, where pydantic missed a number; return whether there were any.

    A whole number may be written as 1e4. What is no number stays as it is, and is refused.
    """
    found = False
    for error in errors:
        if error["type"] in ("int_type", "float_type") and isinstance(error["input"], str):
            number = _number(error["input"], whole=error["type"] == "int_type")
            *above, last = keys_of(error["loc"], config)
            if number is not None:
                here = config
                for key in above:
                    here = here[key]
                here[last], found = number, True
    return found


def _number(text: str, whole: bool) -> int | float | None:
    if not _DECIMAL.fullmatch(text) or not math.isfinite(number := float(text)):
        return None
    if not whole:
        return number
    return int(number) if number.is_integer() else None

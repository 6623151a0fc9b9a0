"""Numbers that reach the config as strings: 1e-3 in YAML 1.1, and all that `snakemake --config` puts in a list.

Not pydantic's own conversion of strings: it takes true for 1, accepts "nan" and "1_000", refuses "1e4" as an integer.
"""

import math
import re

from pydantic_core import ErrorDetails

from selfdoubt.settings.faults import keys_of

_DECIMAL = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")


def put_numbers(config: dict, errors: list[ErrorDetails]) -> bool:
    """Replace strings of the config by the numbers that pydantic expected there; return whether there were any.

    An integer may be written as 1e4. Strings that are no decimal numbers stay, and validation refuses them.
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

"""How a CSV file separates its columns and writes its decimals: commas and points, or as many spreadsheets do."""

import re
from pathlib import Path
from typing import NamedTuple

from selfdoubt.runtime.texts import not_utf8

_SIGNS = ",;\t|"
_LOOKED_AT = 2**16  # bytes from the beginning
_DECIMAL_COMMA = r"\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*"


class Form(NamedTuple):
    """The signs of a CSV file."""

    separator: str
    decimal_mark: str

    def __str__(self) -> str:
        return f"read with separator {self.separator!r} and decimal mark {self.decimal_mark!r}"


def form_of(path: Path) -> Form:
    """Return the sign that is most frequent in the header, and the decimal mark of the first rows.

    Raises UserError at zero bytes, as of UTF-16.
    """
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    if b"\0" in head:
        raise not_utf8(path, head)
    header, _, rows = head.decode("utf-8-sig", errors="replace").partition("\n")
    separator = max(_SIGNS, key=re.sub(r'"[^"]*"', "", header).count)
    cell = f'"{_DECIMAL_COMMA}"'
    if separator != ",":
        sign = re.escape(separator)
        cell += f"|(?:^|{sign}){_DECIMAL_COMMA}(?=$|{sign})"
    return Form(separator, "," if re.search(cell, rows, re.MULTILINE) else ".")

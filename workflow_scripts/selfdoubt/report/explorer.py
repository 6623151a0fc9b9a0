"""All numbers of the table of metrics as data, for the part of the page that scripts sort, filter and search.

A row is a number of an arm over its replicates; texts are given once and named by their places. Without scripts the
page shows nothing of it: its own tables hold what the chapters are about, and the Parquet file holds everything.
"""

import json
from dataclasses import dataclass

from markupsafe import Markup

from selfdoubt.report.arms import Arms
from selfdoubt.report.numbers import Key, Numbers, Value

MOST_ROWS = 20_000  # of the page; those of test come first
_DIGITS = 7
_COLUMNS = ("dataset", "arm", "split", "metric", "score")


@dataclass(frozen=True)
class Explorer:
    """The rows that the page holds."""

    data: Markup  # JSON, free of "<"
    row_of: dict[Key, int]
    n_rows: int
    n_left_out: int


def explorer_of(numbers: Numbers, names: Arms) -> Explorer:
    """Return all numbers as JSON: test first, then other splits in their order, up to MOST_ROWS."""
    keys = sorted(numbers, key=lambda key: _rank(key[2]))
    shown, left_out = keys[:MOST_ROWS], len(keys) - len(keys[:MOST_ROWS])
    texts: list[dict[str, int]] = [{} for _ in _COLUMNS]
    sets: dict[tuple[int, ...], int] = {}
    rows = []
    for key in shown:
        values = numbers[key]
        places = [known.setdefault(text, len(known)) for known, text in zip(texts, key, strict=True)]
        replicates = tuple(value.replicate for value in values)
        rows.append(
            [*places, max(value.n for value in values), sets.setdefault(replicates, len(sets)), _values(values)]
        )
    data = {
        "texts": dict(zip(_COLUMNS, map(list, texts), strict=True)),
        "labels": [names.marked(arm) for arm in texts[1]],
        "replicates": [*map(list, sets)],
        "rows": rows,
    }
    written = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return Explorer(Markup(written), {key: row for row, key in enumerate(shown)}, len(shown), left_out)


def _rank(split: str) -> int:
    return 0 if split == "test" else 1 if split.startswith("ood-") else 2 if split == "val" else 3


def _values(values: list[Value]) -> list[float | str]:
    """Return the value of each replicate, or the reason why there is none."""
    return [value.reason if value.value is None else float(f"{value.value:.{_DIGITS}g}") for value in values]

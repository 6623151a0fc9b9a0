"""Words of figures and of the report: lists, counts, means with their spread."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

NO_BREAK = "\u00a0"  # a space at which no line ends


class NothingToShow(Exception):
    """Raised if the data give a figure nothing to show; the text is the reason."""


class Extent(NamedTuple):
    """What a figure is of, for its caption: data set, split, images and replicates, as far as they are known."""

    text: str
    n_replicates: int  # 0: unknown

    def __str__(self) -> str:
        return self.text

    def of_several(self, text: str) -> str:
        """Return a text about how replicates are shown, or nothing where there is just one."""
        return "" if self.n_replicates == 1 else text


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Return "1 replicate", "3 replicates", "10,000 images"."""
    return f"{n:,}{NO_BREAK}{noun if n == 1 else plural or noun + 's'}"


def listed(words: Sequence[str]) -> str:
    """Return "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def mean_sd(values: Sequence[float], digits: int, note: str | None = None) -> str:
    """Return "mean ± sd (k replicates)", without ± for one replicate; `note` in the place of the brackets."""
    spread = f" ± {np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    note = f" ({counted(len(values), 'replicate')})" if note is None else note
    return f"{np.mean(values):.{digits}f}{spread}{note}"

"""C-OOD severity: how well classes that the model was not trained on are detected, from easiest to hardest.

Galil, Dabbah and El-Yaniv (ICLR 2023). The classes of an out-of-distribution set are sorted by the model's own mean
confidence in their images, the least confident first; a window of as many classes as the model has slides over them.
Each window is an out-of-distribution set of its own. Severity X is the window at X % of the way from the first, the
easiest, to the last, and its number the AUROC of `test` against the images of the window.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from selfdoubt.evaluation.undefined import Undefined, count


@dataclass(frozen=True, eq=False)
class SeverityLevels:
    """The AUROC of each window, (n_windows,), the easiest first."""

    auroc: np.ndarray


def severity_levels(
    inside: np.ndarray, outside: np.ndarray, classes: np.ndarray, n_known: int, sorted_by: np.ndarray | None = None
) -> SeverityLevels:
    """Return the AUROC of every window of n_known classes.

    inside: confidence of `test`, (n,). outside: of the OOD images, (m,); classes: int (m,), theirs. sorted_by: (m,)
    the numbers whose means sort the classes, `outside` if None; equal means are sorted by class number.
    Raises Undefined unless there are more classes outside than n_known.
    """
    count(inside)
    count(outside)
    names, code = np.unique(classes, return_inverse=True)
    if len(names) <= n_known:
        raise Undefined(f"{len(names)} out-of-distribution classes; more than the {n_known} known ones are needed")
    rising = np.sort(inside)
    # Twice the pairs (inside, outside) whose inside sample is more confident, a tie counting half, by outside sample.
    twice_won = 2 * len(inside) - np.searchsorted(rising, outside, "left") - np.searchsorted(rising, outside, "right")
    order = _by_mean(outside if sorted_by is None else sorted_by, code, len(names))
    sizes = np.bincount(code)[order]
    won = np.bincount(code, weights=twice_won)[order]  # exact: whole numbers
    sizes, won = (np.append(0, np.cumsum(values)) for values in (sizes, won))
    windows = [values[n_known:] - values[:-n_known] for values in (won, sizes)]
    return SeverityLevels(windows[0] / (2 * len(inside) * windows[1]))


def _by_mean(values: np.ndarray, code: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the classes by rising mean; they are added in sorted order, so that the order of rows changes no digit."""
    order = np.lexsort((values, code))
    sums = np.bincount(code[order], weights=values[order], minlength=n_classes)
    return np.argsort(sums / np.bincount(code, minlength=n_classes), kind="stable")


def at_severity(levels: SeverityLevels, *, percent: float | str) -> float:
    """Return the AUROC of the window at so many percent of the way; halves are rounded up."""
    last = len(levels.auroc) - 1
    return levels.auroc[floor(last * Fraction(str(percent)) / 100 + Fraction(1, 2))]

"""C-OOD severity: how well classes that the model was not trained on are detected, from easiest to hardest.

Galil, Dabbah and El-Yaniv (ICLR 2023). The classes of an out-of-distribution set are sorted by the model's own mean
confidence in some of their images, the estimation part, the least confident first; a window of as many classes as the
model has slides over them. Each window is an out-of-distribution set of its own. Severity X is the window at X % of the
way from the first, the easiest, to the last, and its number the AUROC of `test` against the other images of the window.
If the evaluated images also sorted the classes, equally difficult classes would seem to differ in difficulty by chance.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from selfdoubt.evaluation.undefined import Undefined, count
from selfdoubt.runtime.randomness import generator


@dataclass(frozen=True, eq=False)
class SeverityLevels:
    """The AUROC of each window, (n_windows,), the easiest first."""

    auroc: np.ndarray


def estimation_part(classes: np.ndarray) -> np.ndarray:
    """Return which images are those that classes are sorted by, bool (m,): half of each class, drawn once for all.

    classes: int (m,), in the order of the images; equal ones give the same part for every model. Of an odd number of
    images the evaluated part has one more.
    """
    drawn = generator(0, "c-ood/estimation").random(len(classes))
    order = np.lexsort((drawn, classes))
    _, first, sizes = np.unique(classes[order], return_index=True, return_counts=True)
    part = np.empty(len(classes), dtype=bool)
    part[order] = np.arange(len(classes)) - np.repeat(first, sizes) < np.repeat(sizes // 2, sizes)
    return part


def severity_levels(
    inside: np.ndarray,
    outside: np.ndarray,
    classes: np.ndarray,
    n_known: int,
    estimating: np.ndarray,
    sorted_by: np.ndarray | None = None,
) -> SeverityLevels:
    """Return the AUROC of every window of n_known classes.

    inside: confidence of `test`, (n,). outside: of the OOD images, (m,); classes: int (m,), theirs. estimating: bool
    (m,), the images by which classes are sorted; the others are evaluated. sorted_by: (m,) the numbers whose means sort
    the classes, `outside` if None; equal means are sorted by class number.
    Raises Undefined unless there are more classes outside than n_known, each with images in both parts.
    """
    count(inside)
    count(outside)
    names, code = np.unique(classes, return_inverse=True)
    if len(names) <= n_known:
        raise Undefined(f"{len(names)} out-of-distribution classes; more than the {n_known} known ones are needed")
    sizes = [np.bincount(code[part], minlength=len(names)) for part in (estimating, ~estimating)]
    if (least := np.minimum(*sizes)).min() == 0:
        lacking = names[least.argmin()]
        raise Undefined(f"out-of-distribution class {lacking} has one image; two are needed, one to sort it by")
    order = _by_mean((outside if sorted_by is None else sorted_by)[estimating], code[estimating], len(names))
    outside, code = outside[~estimating], code[~estimating]
    rising = np.sort(inside)
    # Twice the pairs (inside, outside) whose inside sample is more confident, a tie counting half, by outside sample.
    twice_won = 2 * len(inside) - np.searchsorted(rising, outside, "left") - np.searchsorted(rising, outside, "right")
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

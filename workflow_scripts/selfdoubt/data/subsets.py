"""Subsets of labelled images."""

import numpy as np

from selfdoubt.runtime.errors import UserError


def balanced_subset(labels: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw n indices without replacement, equally many of every class, sorted.

    Where n is no multiple of the number of classes, the lowest classes give one more. Raises UserError if a class has
    too few.
    """
    classes = np.unique(labels)
    counts = np.full(len(classes), n // len(classes)) + (np.arange(len(classes)) < n % len(classes))
    chosen = []
    for label, count in zip(classes, counts, strict=True):
        members = np.flatnonzero(labels == label)
        if len(members) < count:
            found = f"class {label} has {len(members)}"
            raise UserError(f"{n} class-balanced images need {count} of each class, {found}; ask for fewer")
        chosen.append(generator.choice(members, count, replace=False))
    return np.sort(np.concatenate(chosen))

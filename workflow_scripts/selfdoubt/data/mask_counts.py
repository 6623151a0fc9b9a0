"""How many masks show nothing, or nothing but the object, and from where on that deserves a warning."""

MOST_EMPTY_OR_FULL = 0.02  # of masks, without a warning: every image of a class shows its object


def warning_of(n_empty: int, n_full: int, n: int) -> str | None:
    """Return a text if more than MOST_EMPTY_OR_FULL of n masks hold no object or nothing else."""
    if n_empty + n_full <= MOST_EMPTY_OR_FULL * n:
        return None
    counted = f"{n_empty:,} of {n:,} are empty and {n_full:,} full"
    return f"{counted}: {(n_empty + n_full) / n:.1%}, more than {MOST_EMPTY_OR_FULL:.0%}"

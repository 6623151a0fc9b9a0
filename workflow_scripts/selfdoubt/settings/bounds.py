"""How figures and tables tell arms that read the true labels from contenders."""

from collections.abc import Collection, Iterable

MARK = " (bound)"
ORACLE, BEST = "oracle-selector", "best-member"  # of every group, beside its protocols


def marked(arms: Iterable[str], bounds: Collection[str]) -> list[str]:
    """Return the arms' names, each with a mark if it is a bound."""
    return [arm + MARK if arm in bounds else arm for arm in arms]

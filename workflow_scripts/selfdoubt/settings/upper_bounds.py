"""How figures and tables mark arms that read the true labels, and so are upper bounds."""

MARK = " (upper bound)"
ORACLE, BEST = "oracle-selector", "best-member"  # of every group, beside its protocols


def marked(label: str, is_bound: bool) -> str:
    """Return an arm's label, with a mark if the arm is an upper bound."""
    return label + MARK if is_bound else label

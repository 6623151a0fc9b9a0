"""Families of hypotheses: Holm's correction, and the level at which each member is tested."""


def holm(p_values: list[float | None]) -> list[float | None]:
    """Return Holm's step-down corrected p of each hypothesis of a family (Holm 1979).

    None, a comparison that could not be made, stays None but counts as a member of the family.
    """
    corrected: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for step, (p, i) in enumerate(_made(p_values)):
        largest = max(largest, min(1.0, p * (len(p_values) - step)))
        corrected[i] = largest
    return corrected


def levels(p_values: list[float | None], alpha: float) -> list[float]:
    """Return the level at which Holm's procedure tests each hypothesis: an interval of 1 - level excludes 0 where it
    is rejected, and only there.

    The k-th smallest p is compared with alpha / (n - k + 1); from the first that is not below, all have its level.
    """
    found: list[float | None] = [None] * len(p_values)
    left = len(p_values)
    for p, i in _made(p_values):
        found[i] = alpha / left
        if p >= found[i]:
            break
        left -= 1
    return [alpha / left if level is None else level for level in found]


def _made(p_values: list[float | None]) -> list[tuple[float, int]]:
    return sorted((p, i) for i, p in enumerate(p_values) if p is not None)

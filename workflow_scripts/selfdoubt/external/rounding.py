"""Numbers that were rounded when they were written: to how many decimal places, and what that makes of them."""

import numpy as np

from selfdoubt.evaluation.predictions import LEAST, Predictions

_MOST_PLACES = 6  # that are looked for
_FEW_PLACES = 5  # of numbers that are called rounded: float32 has hardly more


def places_of(largest: np.ndarray) -> int | None:
    """Return to how many decimal places most of the numbers are rounded; None: not to six or fewer.

    largest: float (n,), each row's largest probability: smaller ones may have more places. What is not between 0 and 1
    shows no places; 0 where nothing else is there.
    """
    eps = np.finfo(largest.dtype).eps
    between = largest[(largest < 1) & (largest > 0)].astype(np.float64)
    if len(between) == 0:
        return 0
    scaled = between[:, None] * 10.0 ** np.arange(1, _MOST_PLACES + 1)
    exact = np.abs(scaled - np.round(scaled)) <= 2 * eps * scaled
    places = np.median(np.where(exact.any(1), exact.argmax(1) + 1, _MOST_PLACES + 1))
    return int(np.ceil(places)) if places <= _MOST_PLACES else None


def of_batches(places: list[int | None]) -> int | None:
    """Return the decimal places of a file from those of its batches; None: it is not rounded."""
    known = [each for each in places if each is not None and each <= _FEW_PLACES]
    return max(known) if places and len(known) == len(places) else None


def note(found: Predictions) -> str | None:
    """Return a note on rounded numbers or probabilities of 0; None where there are neither."""
    zeros = 0
    if found.logits is not None and found.of_probabilities and (found.labels >= 0).all():
        given = found.logits[np.arange(len(found.labels)), found.labels]
        zeros = int(np.count_nonzero(given <= np.float32(np.log(LEAST) + 1)))
    if found.decimal_places is None and not zeros:
        return None
    texts = [] if found.decimal_places is None else [f"its numbers have {found.decimal_places} decimal places"]
    texts += [f"{zeros:,} of {len(found.labels):,} labels have a probability of 0, which counts as 1e-300"]
    return f"{'; '.join(texts if zeros else texts[:1])} (docs/metrics.md, Rounded numbers)"

"""How many replicates a comparison needs, from the spread over replicates and images that was seen."""

import numpy as np

from selfdoubt.evaluation.contrasts import Contrast, ExactContrast
from selfdoubt.evaluation.verdicts import LEAST_REPLICATES

POWER, CAP = 0.8, 1000


def n_for_difference(found: Contrast, level: float, power: float = POWER, cap: int = CAP) -> int | None:
    """Return how many replicates find a difference as large as observed with probability `power`, two-sided at a level.

    At least LEAST_REPLICATES: fewer decide nothing. None where replicates do not vary, if more than `cap`
    are needed, or if the images leave it open whatever their number: more test images may be needed.
    """
    if found.least_p >= level:
        return None
    return _first(found, lambda n: _power_of_difference(found, n, level), power, cap)


def n_for_equivalence(found: Contrast, margin: float, level: float, power: float = POWER, cap: int = CAP) -> int | None:
    """Return with how many replicates a true difference of 0 is called negligible, by two one-sided tests at a level.

    None as for a difference, and where the arms differ on every image: the p of that is always 1.
    """
    if isinstance(found, ExactContrast):
        return None
    return _first(found, lambda n: _power_of_equivalence(found, n, margin, level), power, cap)


def n_for_no_loss(
    found: Contrast, margin: float, side: int, level: float, power: float = POWER, cap: int = CAP
) -> int | None:
    """Return with how many replicates a difference as seen is shown to be above minus the margin, on the side that is
    better (+1 or -1), one-sided at a level. None as for a difference.
    """
    if side * found.difference > 0 and found.least_p / 2 >= level:
        return None
    return _first(found, lambda n: _power_of_no_loss(found, n, margin, side, level), power, cap)


def _first(found: Contrast, power_at, power: float, cap: int) -> int | None:
    if found.n < 2 or not found.parts(found.n)[0] > 0:
        return None
    enough = power_at(np.arange(LEAST_REPLICATES, cap + 1)) >= power
    return int(enough.argmax()) + LEAST_REPLICATES if enough.any() else None


def _power_of_difference(found: Contrast, n: np.ndarray, level: float) -> np.ndarray:
    from scipy.special import nctdtr, stdtrit  # half a second to import, and needed here only

    freedom = found.freedom(n)
    critical = stdtrit(freedom, 1 - level / 2)
    shift = np.minimum(abs(found.difference) / found.error(n), 30.0)
    power = 1 - nctdtr(freedom, shift, critical) + nctdtr(freedom, shift, -critical)
    return np.where(np.isnan(power), 1.0, power)  # nctdtr gives up where so large a shift leaves no doubt


def _power_of_no_loss(found: Contrast, n: np.ndarray, margin: float, side: int, level: float) -> np.ndarray:
    from scipy.special import nctdtr, stdtrit

    freedom = found.freedom(n)
    shift = np.clip((side * found.difference + margin) / found.error(n), -30.0, 30.0)
    power = 1 - nctdtr(freedom, shift, stdtrit(freedom, 1 - level))
    return np.where(np.isnan(power), shift > 0, power)


def _power_of_equivalence(found: Contrast, n: np.ndarray, margin: float, level: float) -> np.ndarray:
    from scipy.special import stdtr, stdtrit

    freedom = found.freedom(n)
    room = margin / found.error(n) - stdtrit(freedom, 1 - level)
    return np.where(room > 0, 2 * stdtr(freedom, np.maximum(room, 0)) - 1, 0.0)

"""Learning-rate schedules: the factor of the peak learning rate at each step."""

import math


def factor(step: int, n_steps: int, settings) -> float:
    """Return the factor of the peak learning rate, in (0, 1], at `step` of 0 to n_steps - 1.

    settings: of config.yaml's `schedule`. Every schedule first rises linearly for warmup_fraction of the steps.
    """
    peak = max(1.0, settings.warmup_fraction * n_steps)
    if step + 1 < peak:
        return (step + 1) / peak
    done = (step + 1 - peak) / (n_steps - peak + 1)  # of what follows the peak, in [0, 1)
    return _FALLS[settings.method](done, settings)


def _triangular(done: float, settings) -> float:
    return 1 - done


def _cosine(done: float, settings) -> float:
    return (1 + math.cos(math.pi * done)) / 2


def _step(done: float, settings) -> float:
    return settings.factor ** sum(done >= fraction for fraction in settings.at_fractions)


_FALLS = {"triangular": _triangular, "cosine": _cosine, "step": _step}

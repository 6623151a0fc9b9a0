"""Learning rates rise in a line and fall by the schedule."""

from types import SimpleNamespace

import numpy as np
import pytest

from selfdoubt.training.schedules import factor


def factors(n_steps: int, method: str = "triangular", warmup_fraction: float = 0.0, **values) -> list[float]:
    settings = SimpleNamespace(method=method, warmup_fraction=warmup_fraction, **values)
    return [factor(step, n_steps, settings) for step in range(n_steps)]


def test_the_triangle_by_hand():
    # 8 steps, a quarter of them upwards: the peak is step 1; then down by 1/7 a step.
    assert factors(8, warmup_fraction=0.25) == pytest.approx([1 / 2, *(k / 7 for k in range(7, 0, -1))])
    assert factors(4) == pytest.approx([1, 3 / 4, 2 / 4, 1 / 4])
    assert factors(4, warmup_fraction=1.0) == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1])
    assert factors(1, warmup_fraction=0.25) == [1]


def test_the_cosine_by_hand():
    assert factors(4, "cosine") == pytest.approx([1, (1 + 0.5**0.5) / 2, 1 / 2, (1 - 0.5**0.5) / 2])


def test_steps_by_hand():
    found = factors(8, "step", at_fractions=[0.5, 0.75], factor=0.1)
    assert found == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])
    # Two steps of eight upwards: the seven that begin at the peak are what the fractions are of.
    assert factors(8, "step", 0.25, at_fractions=[0.5], factor=0.5) == pytest.approx([0.5, 1, 1, 1, 1, 0.5, 0.5, 0.5])


@pytest.mark.parametrize(("n_steps", "warmup"), [(10, 0.25), (7, 0.5), (474, 0.25), (3, 0.9)])
@pytest.mark.parametrize("method", ["triangular", "cosine"])
def test_rates_go_up_then_down_and_never_to_0(method, n_steps, warmup):
    rates = factors(n_steps, method, warmup)
    top = int(np.argmax(rates))
    assert min(rates) > 0 and max(rates) <= 1
    assert (np.diff(rates[: top + 1]) > 0).all() and (np.diff(rates[top:]) < 0).all()

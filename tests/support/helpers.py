"""What the tests of several modules ask alike: whether tensors are close, what resamples hold, what comes true."""

import importlib
import time

import numpy as np

from selfdoubt.runtime import methods

SCHEMAS = {
    name: getattr(
        importlib.import_module(f"selfdoubt.{methods.module_in('runtime.schemas', name)}"),
        f"{name.replace('-', '_').upper()}_SCHEMA",
    )
    for name in methods.names_in("runtime.schemas")
}


def assert_close(found, expected, rtol: float = 1.3e-6, atol: float = 1e-5) -> None:
    """Tensors of one shape and type are about equal, by default within torch's tolerances for float32.

    torch.testing.assert_close imports 519 modules at its first call, which took seconds in each process.
    """
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=rtol, atol=atol)


def drawn_out(values: np.ndarray, weights: np.ndarray) -> list[np.ndarray]:
    """The resamples of values (..., n) that weights (n_resamples, n) stand for, each value as often as it was drawn."""
    return [np.repeat(values, counts, axis=-1) for counts in weights]


def comes_true(condition) -> bool:
    """Whether a condition holds within 60 s."""
    return any(condition() or time.sleep(0.02) for _ in range(3000))

"""The few images before and after an enhancer that are kept to be looked at."""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from selfdoubt.files import atomic_path


def write(path: Path, examples: dict[str, np.ndarray]) -> None:
    """Write the arrays clean, enhanced, clean_confidence, enhanced_confidence and epsilon_255 (of 255)."""
    with atomic_path(path) as temporary:
        save_file({name: np.ascontiguousarray(array) for name, array in examples.items()}, temporary)


def read(path: Path) -> dict[str, np.ndarray | float]:
    """Read what `write` wrote; epsilon_255 is a float."""
    arrays = load_file(path)
    return arrays | {"epsilon_255": float(arrays["epsilon_255"])}

"""The few images before and after an enhancer that are kept to be looked at."""

from pathlib import Path

import numpy as np

from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError


def write(path: Path, examples: dict[str, np.ndarray]) -> None:
    """Write the arrays clean, enhanced, clean_confidence, enhanced_confidence and epsilon_255 (of 255)."""
    tensor_files.write(path, examples, {})


def read(path: Path) -> dict[str, np.ndarray | float]:
    """Read what `write` wrote; epsilon_255 is a float.

    Raises UserError if the file is missing, truncated or holds something else.
    """
    arrays, _ = tensor_files.read(path, "examples")
    if "epsilon_255" not in arrays:
        raise UserError(f"{path}: holds no examples of an enhancer; delete it and run again")
    return arrays | {"epsilon_255": float(arrays["epsilon_255"])}

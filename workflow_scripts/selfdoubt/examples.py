"""The few images before and after an enhancer that are kept to be looked at."""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from selfdoubt.errors import UserError
from selfdoubt.files import atomic_path


def write(path: Path, examples: dict[str, np.ndarray]) -> None:
    """Write the arrays clean, enhanced, clean_confidence, enhanced_confidence and epsilon_255 (of 255)."""
    with atomic_path(path) as temporary:
        save_file({name: np.asarray(array, order="C") for name, array in examples.items()}, temporary)


def read(path: Path) -> dict[str, np.ndarray | float]:
    """Read what `write` wrote; epsilon_255 is a float.

    Raises UserError if the file is missing, truncated or holds something else.
    """
    try:
        arrays = load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run snakemake to make it") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a whole file of examples ({error}); delete it and run again") from None
    if "epsilon_255" not in arrays:
        raise UserError(f"{path}: holds no examples of an enhancer; delete it and run again")
    return arrays | {"epsilon_255": float(arrays["epsilon_255"])}

"""Named arrays with metadata in one .safetensors file: written whole, and read whole or not at all.

The metadata is one JSON text under one key, since the format does not keep the order of several; so equal
content gives equal bytes. The file's header tells its length, so that a truncated file is never trusted.
"""

import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from selfdoubt.errors import UserError
from selfdoubt.files import atomic_path

_KEY = "selfdoubt"


def write(path: str | Path, arrays: dict[str, np.ndarray], metadata: dict) -> None:
    """Write arrays and metadata (JSON-able) atomically; equal content gives equal bytes, whatever its order."""
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}  # else written as memory lies
    with atomic_path(path) as temporary:
        save_file(whole, temporary, {_KEY: json.dumps(metadata, sort_keys=True)})


def read(path: str | Path, what: str, framework: str = "np") -> tuple[dict, dict]:
    """Return what `write` wrote: arrays ("np") or tensors ("pt") by name, and the metadata.

    what: the content in a word, such as "weights", for the error.
    Raises UserError if the file is missing, truncated or not one of this project's.
    """
    try:
        with safe_open(path, framework=framework) as file:
            metadata = (file.metadata() or {}).get(_KEY)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run snakemake to make it") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a whole file of {what} ({error}); delete it and run again") from None
    if metadata is None:
        raise UserError(f"{path}: not {what} of this project: the header holds no '{_KEY}'; delete it and run again")
    return arrays, json.loads(metadata)

"""Named arrays with metadata in one .safetensors file: written atomically, and checked when they are read.

The metadata is one JSON text under one key, since the format does not keep the order of several keys; so equal
content gives equal bytes. The file's header holds its length, so a truncated file is refused, and a checksum of the
arrays stands beside the metadata, so a file with a changed bit is refused too.
"""

import json
import re
import zlib
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

_KEY, _CHECKSUM = "selfdoubt", "crc32"


def write(path: str | Path, arrays: dict[str, np.ndarray], metadata: dict) -> None:
    """Write arrays and metadata (JSON-able) atomically; equal content gives equal bytes, whatever its order.

    Raises UserError if the disk is full.
    """
    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}  # else in the order of memory
    text = json.dumps(metadata | {_CHECKSUM: _checksum(whole)}, sort_keys=True)
    with atomic_path(path) as temporary:
        temporary.touch()
        mode = temporary.stat().st_mode  # of any new file, where save_file's own is for its owner alone
        try:
            save_file(whole, temporary, {_KEY: text})
        except SafetensorError as error:  # its errno is in its message only
            if code := re.search(r"os error (\d+)", str(error)):
                raise OSError(int(code[1]), str(error), str(path)) from None
            raise
        temporary.chmod(mode)


def read(path: str | Path, what: str, framework: str = "np") -> tuple[dict, dict]:
    """Return what `write` wrote: arrays ("np") or tensors ("pt") by name, and the metadata.

    what: the content in a word for error messages, such as "weights".
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
    found = json.loads(metadata)
    if found.pop(_CHECKSUM, None) != _checksum(arrays):
        raise UserError(f"{path}: not the {what} that were written: the checksum differs; delete it and run again")
    return arrays, found


def _checksum(arrays: dict) -> int:
    """Return the CRC-32 of the values of arrays or tensors, in the order of their names."""
    found = 0
    for name in sorted(arrays):
        found = zlib.crc32(np.asarray(arrays[name]).reshape(-1).view(np.uint8), found)
    return found

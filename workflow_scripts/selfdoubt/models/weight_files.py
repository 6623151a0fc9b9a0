"""Weights that were trained elsewhere, from a .safetensors or a .pth file.

A .pth file is a pickle, which may hold any program. It is opened with torch's weights_only, which reads tensors and
refuses all else, and there is no option to read more.
"""

import hashlib
import re
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from selfdoubt.runtime.errors import UserError

_INSIDE = ("state_dict", "model")  # keys that training programs keep a state dict under
_PARALLEL = "module."  # before every name, where a network was saved from within DataParallel


def read(path: str | Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a state dict by name, on the processor.

    Raises UserError if the file is missing, truncated, of another kind or holds more than tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; a network's weights are expected there")
    if path.suffix not in _READERS:
        raise UserError(f"{path}: weights are read from files that end in {' or '.join(_READERS)}")
    state = _state_dict(_READERS[path.suffix](path), path)
    if all(name.startswith(_PARALLEL) for name in state):
        state = {name.removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    return state


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, by which a checkpoint identifies the weights that it was made from."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_safetensors(path: Path) -> dict:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a whole .safetensors file ({_first_line(error)}); fetch it again") from None


def _read_pth(path: Path) -> dict:
    try:
        _check_sums(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can make its reader raise anything
        if refused := re.search(r"nsupported (?:global: )?GLOBAL (\S+)", str(error)):
            found = f"holds more than tensors ({refused[1]}), which could be any program and is not read"
            raise UserError(
                f"{path}: {found}; save its state dict alone, by torch.save(model.state_dict(), …)"
            ) from None
        raise UserError(f"{path}: not a whole .pth file of tensors ({_first_line(error)}); fetch it again") from None


def _check_sums(path: Path) -> None:
    """Raise BadZipFile if a tensor is not what was written: torch does not look."""
    if zipfile.is_zipfile(path):  # as torch writes since 1.6
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")


def _state_dict(found, path: Path) -> dict[str, torch.Tensor]:
    if isinstance(found, dict):
        found = next((found[key] for key in _INSIDE if isinstance(found.get(key), dict)), found)
    if not isinstance(found, dict) or not found:
        what = "an empty one" if isinstance(found, dict) else f"a {type(found).__name__}"
        raise UserError(f"{path}: expected a state dict, tensors by name, and found {what}")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            what = f"{type(value).__name__} under {name!r}"
            raise UserError(
                f"{path}: expected a state dict, at the top or under {' or '.join(_INSIDE)}, and found {what}"
            )
    return dict(found)


def _first_line(error: Exception) -> str:
    text = str(error).rpartition("WeightsUnpickler error: ")[2]  # before it, how to read the file all the same
    first = text.strip().split("\n")[0].split(". ")[0].rstrip(". ")
    return f"{type(error).__name__} {first}".strip()


_READERS = {".safetensors": _read_safetensors, ".pth": _read_pth}

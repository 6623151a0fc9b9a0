"""Weights that were trained elsewhere, from a .safetensors file or one of torch's, such as .pth.

Those of torch are pickles, which may hold any program. They are opened with torch's weights_only, which reads tensors
and refuses all else, and there is no option to read more. Which state dict of a file is meant: `state_dicts`.
"""

import hashlib
import re
import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from selfdoubt.models import state_dicts
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.weight_suffixes import EITHER, PICKLES, SAFETENSORS


def read(path: str | Path, key: str | None = None) -> dict[str, torch.Tensor]:
    """Return the tensors of a state dict by name, on the CPU, without the prefixes that wrappers put before names.

    key: which one of the file, as in `state_dicts.choose`; what is taken is printed where another one might be meant.
    Raises UserError if the file is missing, truncated, of another kind or holds more than tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{path}: no such file; a network's weights are expected there")
    if path.suffix not in _READERS:
        raise UserError(f"{path}: weights are read from files that end in {EITHER}; save them as one")
    found = _READERS[path.suffix](path)
    try:
        state, note = state_dicts.choose(found, key)
    except UserError as fault:
        raise UserError(f"{path}: {fault}") from None
    if note:
        print(f"{path}: {note}", flush=True)
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


def _read_pickle(path: Path) -> dict:
    try:
        _check_sums(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can make its reader raise anything
        if refused := re.search(r"nsupported (?:global: )?GLOBAL (\S+)", str(error)):
            found = f"holds more than tensors ({refused[1]}), which could be any program and is not read"
            raise UserError(
                f"{path}: {found}; save its state dict alone, by torch.save(model.state_dict(), …)"
            ) from None
        raise UserError(
            f"{path}: not a whole {path.suffix} file of tensors ({_first_line(error)}); fetch it again"
        ) from None


def _check_sums(path: Path) -> None:
    """Raise BadZipFile if a tensor is not what was written: torch does not look."""
    if zipfile.is_zipfile(path):  # as torch writes since 1.6
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")


def _first_line(error: Exception) -> str:
    text = str(error).rpartition("WeightsUnpickler error: ")[2]  # before it, how to read the file all the same
    first = text.strip().split("\n")[0].split(". ")[0].rstrip(". ")
    return f"{type(error).__name__} {first}".strip()


_READERS = dict.fromkeys(SAFETENSORS, _read_safetensors) | dict.fromkeys(PICKLES, _read_pickle)

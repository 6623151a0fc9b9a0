"""The state of a training, saved so that it can be killed at any moment and resumed."""

import shutil
import time
from pathlib import Path

import torch

from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError

_MINUTES = 10  # between two states within an epoch


class Keeper:
    """Keeps one state in a folder, under a key of all that decides the result.

    A state of another key is never read: it belongs to settings, code or inputs that have changed since.
    """

    def __init__(self, folder: Path, key: str, minutes: float = _MINUTES):
        self._folder, self._path, self._key = folder, folder / f"{key}.safetensors", key
        self._seconds, self._kept_at = 60 * minutes, time.monotonic()

    def load(self) -> tuple[dict[str, torch.Tensor], dict] | None:
        """Return tensors and facts of the last state, or None if there is none, or none that can be read."""
        if not self._path.exists():
            return None
        try:
            return tensor_files.read(self._path, "a training's state", framework="pt")
        except UserError as fault:
            print(f"starting from the beginning: {fault}", flush=True)
            return None

    def due(self) -> bool:
        """Return whether the last state is old enough to save another within the epoch."""
        return time.monotonic() - self._kept_at >= self._seconds

    def save(self, tensors: dict[str, torch.Tensor], facts: dict) -> None:
        """Replace the state, atomically; facts: JSON-able."""
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        tensor_files.write(self._path, arrays, facts)
        self._kept_at = time.monotonic()

    def remove(self) -> None:
        """Delete this state and those of other keys: the training is over."""
        shutil.rmtree(self._folder, ignore_errors=True)

"""Checkpoints: weights as safetensors, and in their header all that is needed to build the model again.

The metadata holds settings, code digest, package versions, device and threads, never a time or a path, so
that two runs give equal bytes. It is one JSON text under one key, since the format does not fix the order
of several.
"""

from pathlib import Path
from types import SimpleNamespace

import torch

from selfdoubt.models import classifier
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError


def save(path: str | Path, module: torch.nn.Module, metadata: dict) -> None:
    """Write a module's parameters and buffers and its metadata (JSON-able) atomically."""
    state = {name: tensor.detach().cpu().numpy() for name, tensor in module.state_dict().items()}
    tensor_files.write(path, state, metadata)


def read(path: str | Path) -> tuple[dict[str, torch.Tensor], dict]:
    """Return a checkpoint's tensors and metadata.

    Raises UserError if the file is missing, truncated or not one of this project's.
    """
    return tensor_files.read(path, "weights", framework="pt")


def load_model(path: str | Path, device: torch.device) -> classifier.Classifier:
    """Build the classifier of a checkpoint and load its weights, in evaluation mode, on the device."""
    tensors, metadata = read(path)
    if "network" not in metadata.get("settings", {}):
        raise UserError(f"{path}: not a classifier's checkpoint: its settings name no network; delete it and run again")
    network = SimpleNamespace(**metadata["settings"]["network"])
    if hasattr(network, "pretrained"):
        network.pretrained = False  # its weights are in the file
    further = {"disagreement": True} if metadata["settings"].get("disagreement") else {}
    model = classifier.build_model(network, **metadata["shape"], **further)
    model.load_state_dict(tensors)
    return model.to(device, memory_format=torch.channels_last).eval()

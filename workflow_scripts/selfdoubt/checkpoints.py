"""Checkpoints: weights as safetensors, and in their header all that is needed to build the model again.

The metadata holds settings, code digest, package versions, device and threads, never a time or a path, so
that two runs give equal bytes. It is one JSON text under one key, since the format does not fix the order
of several.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from selfdoubt import models
from selfdoubt.errors import UserError
from selfdoubt.files import atomic_path

_KEY = "selfdoubt"


def save(path: str | Path, module: torch.nn.Module, metadata: dict) -> None:
    """Write a module's parameters and buffers and its metadata (JSON-able) atomically."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(state, temporary, metadata={_KEY: json.dumps(metadata, sort_keys=True)})


def read(path: str | Path) -> tuple[dict[str, torch.Tensor], dict]:
    """Return a checkpoint's tensors and metadata.

    Raises UserError if the file is missing, truncated or not one of this project's.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = (file.metadata() or {}).get(_KEY)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except FileNotFoundError:
        raise UserError(f"{path}: no such checkpoint; run snakemake to make it") from None
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a whole checkpoint ({error}); delete it and run again") from None
    if metadata is None:
        raise UserError(f"{path}: not a checkpoint of this project: its header holds no '{_KEY}'")
    return tensors, json.loads(metadata)


def load_model(path: str | Path, device: torch.device) -> models.Classifier:
    """Build the classifier of a checkpoint and load its weights, in evaluation mode, on the device."""
    tensors, metadata = read(path)
    if "network" not in metadata.get("settings", {}):
        raise UserError(f"{path}: not a classifier's checkpoint: its settings name no network; delete it and run again")
    network = SimpleNamespace(**metadata["settings"]["network"])
    if hasattr(network, "pretrained"):
        network.pretrained = False  # its weights are in the file
    model = models.build_model(network, **metadata["shape"])
    model.load_state_dict(tensors)
    return model.to(device, memory_format=torch.channels_last).eval()

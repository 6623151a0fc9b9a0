"""Weights that other programs trained, in this project's residual networks for small images.

Programs differ in the names of parameters. Blocks are found by the numbers of stage and block in a name, and what is in
a block or outside of all by tables of the families.
"""

import re
from collections import Counter
from pathlib import Path

import torch
from torch import nn

from selfdoubt.models import weight_files
from selfdoubt.runtime.errors import UserError

_IN_BLOCK = re.compile(r"(?:layers?|stages?|blocks?|groups?)[._]?(\d)\.(?:layers?\.|blocks?\.)?(\d+)\.(.+)")
_COUNTER = ".num_batches_tracked"  # of batches in training, which older files lack


def load_into(
    body: nn.Module, path: str | Path, network, outside: dict[str, str], inside: dict[str, str], place: str
) -> None:
    """Load all weights of a file into a network whose stages of blocks are called `stages`.

    network: its settings, with `weights_key`. outside, inside: our names of modules outside of blocks, and in them, by
    theirs. place: the network in words. Raises UserError unless the weights fit to the last name and shape.
    """
    theirs = _renamed(weight_files.read(path, getattr(network, "weights_key", None)), outside, inside)
    ours = body.state_dict()
    head = theirs.get("head.weight")
    if head is None or len(head) != len(ours["head.weight"]):
        n = 0 if head is None else len(head)
        found = f"{path}: has a head of {n} classes, and the data have {len(ours['head.weight'])}"
        raise UserError(f"{found}; it can only be evaluated on data of its own classes")
    counters = [name.replace(".running_mean", _COUNTER) for name in theirs if name.endswith(".running_mean")]
    theirs = {name: ours[name] for name in counters if name in ours} | theirs
    if fault := _misfit(theirs, ours):
        raise UserError(f"{path}: does not fit {place} ({fault}); correct its settings, or choose other weights")
    body.load_state_dict(theirs)


def normalisation_of(network, channels: int) -> tuple[list[float], list[float]] | None:
    """Return mean and deviation of the channels that settings name, None if they name none.

    Raises UserError if they do not have as many channels as the images.
    """
    mean, deviation = getattr(network, "mean", None), getattr(network, "deviation", None)
    if mean is not None and len(mean) != channels:
        raise UserError(f"mean and deviation are of {len(mean)} channels, and the images have {channels}; correct them")
    return None if mean is None else (list(mean), list(deviation))


def _renamed(state: dict, outside: dict[str, str], inside: dict[str, str]) -> dict[str, torch.Tensor]:
    blocks = {name: _IN_BLOCK.fullmatch(name) for name in state}
    first = min((int(found[1]) for found in blocks.values() if found), default=0)  # stages count from 0, or from 1
    renamed = {}
    for name, tensor in state.items():
        found = blocks[name]
        module, _, leaf = (found[3] if found else name).rpartition(".")
        module = (inside if found else outside).get(module, module)
        start = f"stages.{int(found[1]) - first}.{found[2]}." if found else ""
        renamed[f"{start}{module}.{leaf}"] = tensor
    return renamed


def _misfit(theirs: dict, ours: dict) -> str:
    """Return what of a state dict does not fit another, "" if all does."""
    n_theirs, n_ours = _blocks(theirs), _blocks(ours)
    if n_theirs != n_ours:
        return f"stages of {n_theirs or 'no'} blocks, expected {n_ours}"
    for name in ours:
        if name not in theirs:
            return f"{name} is not in it"
        if theirs[name].shape != ours[name].shape:
            return f"{name} has the shape {tuple(theirs[name].shape)}, expected {tuple(ours[name].shape)}"
    extra = [name for name in theirs if name not in ours]
    return f"it has {extra[0]} too" if extra else ""


def _blocks(state: dict) -> str:
    """Return how many blocks each stage has, as "3, 3, 3"."""
    found = {tuple(name.split(".")[1:3]) for name in state if name.startswith("stages.")}
    return ", ".join(str(n) for _, n in sorted(Counter(stage for stage, _ in found).items()))

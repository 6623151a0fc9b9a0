"""Parameters of EfficientNets by the names of efficientnet-pytorch, and of the Lite variants after it, in timm's names.

timm has no such filter; its networks with `tf_` in their names are padded as these are.
"""

import re

import torch
from torch import nn

_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_SQUEEZE = {"_se_reduce": "se.conv_reduce", "_se_expand": "se.conv_expand"}
_EXPANDING = {"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"}
_EXPANDING |= {"_project_conv": "conv_pwl", "_bn2": "bn3"} | _SQUEEZE
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"} | _SQUEEZE
_NAME = re.compile(r"(?:_blocks\.(\d+)\.)?(\w+)\.(\w+)")


def renamed(state: dict[str, torch.Tensor], body: nn.Module) -> dict[str, torch.Tensor]:
    """Return a state dict in the names of timm's `body`, which numbers blocks within stages; others as they are."""
    if "_conv_stem.weight" not in state:
        return state
    blocks = [f"blocks.{i}.{j}." for i, stage in enumerate(getattr(body, "blocks", [])) for j in range(len(stage))]
    return {_name(name, blocks, state): tensor for name, tensor in state.items()}


def _name(name: str, blocks: list[str], state: dict) -> str:
    found = _NAME.fullmatch(name)
    if not found:
        return name
    number, module, leaf = found.groups()
    if number is None:
        return f"{_OUTSIDE.get(module, module)}.{leaf}"
    inside = _EXPANDING if f"_blocks.{number}._expand_conv.weight" in state else _PLAIN
    place = blocks[int(number)] if int(number) < len(blocks) else f"blocks.{number}."
    return f"{place}{inside.get(module, module)}.{leaf}"

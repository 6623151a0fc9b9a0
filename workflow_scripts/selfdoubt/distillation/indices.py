"""Indices of classes and of images that several losses and target transforms need."""

import numpy as np
import torch


def other_classes(chosen: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return all classes but the chosen one (b,), in rising order: (b, n_classes - 1)."""
    classes = torch.arange(n_classes - 1, device=chosen.device)
    return classes + (classes >= chosen[:, None])


def permutations(drawn: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return the permutations that sort random numbers along the last axis; of the same shape, on the device."""
    return torch.from_numpy(drawn.argsort(-1)).to(device)

"""Indices of classes and of images that several losses and target transforms need."""

import numpy as np
import torch

from selfdoubt.runtime import randomness


def other_classes(chosen: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return all classes but the chosen one (b,), in rising order: (b, n_classes - 1)."""
    classes = torch.arange(n_classes - 1, device=chosen.device)
    return classes + (classes >= chosen[:, None])


def permutations(drawn: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return the permutations that sort random numbers along the last axis; of the same shape, on the device."""
    return torch.from_numpy(drawn.argsort(-1)).to(device)


def partners(batch, seed: int, purpose: str) -> torch.Tensor:
    """Return the position in the batch of another image of the same label, for each image, (b,).

    They are a permutation of each label's images, drawn anew for each batch; an image may be its own partner.
    """
    drawn = randomness.uniform_rows(seed, purpose, batch.epoch, batch.rows, 1)[:, 0]
    shuffled = permutations(drawn, batch.labels.device)
    source = shuffled[batch.labels[shuffled].argsort(stable=True)]  # by label, and at random within it
    target = batch.labels.argsort(stable=True)
    return torch.empty_like(source).scatter_(0, target, source)

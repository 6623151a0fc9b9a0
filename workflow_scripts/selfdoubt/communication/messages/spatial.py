"""Spatial messages: of a set of shifts and flips, the sender picks the one that makes it most confident of a class.

The set: the image moved by -shift_px, 0 or shift_px in each direction, black moving in, and each of these mirrored if
`flip` is set; the image itself is one. `pick: random` is the control: any of them, the same for every class.
"""

from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.training import augmentation


def send(sender: nn.Module, images: Tensor, classes: np.ndarray, settings, generator) -> list[Tensor]:
    """Return, for each class, the images as the sender is most confident of it; at random one batch for all."""
    windows, rows = augmentation.pad(images, settings.shift_px), torch.arange(len(images), device=images.device)
    moves = torch.tensor(_moves(settings), device=images.device)  # (T, 3)
    if settings.pick == "random":
        drawn = torch.from_numpy(generator.integers(len(moves), size=len(images))).to(images.device)
        return [augmentation.view(windows, _views(moves[drawn]).at(rows))]
    wanted = torch.from_numpy(classes).to(images.device)  # (n, k)
    with torch.no_grad():
        each = [
            sender(augmentation.view(windows, _views(move.expand(len(images), 3)).at(rows))).float().log_softmax(-1)
            for move in moves
        ]
    best = torch.stack([log_p.gather(1, wanted) for log_p in each]).argmax(0)  # (n, k)
    return [augmentation.view(windows, _views(moves[best[:, i]]).at(rows)) for i in range(wanted.shape[1])]


def cost(n_classes: int, settings) -> tuple[int, int, int]:
    """Return how many batches `send` returns, and the forwards and backwards of the sender for all of them."""
    return (1, 0, 0) if settings.pick == "random" else (n_classes, len(_moves(settings)), 0)


def _moves(settings) -> list[tuple[int, int, int]]:
    """Return top and left in the padded image, and whether it is mirrored, of every transformation."""
    places = (0, settings.shift_px, 2 * settings.shift_px)
    return [*product(places, places, (0, 1) if settings.flip else (0,))]


def _views(moves: Tensor) -> augmentation.Views:
    return augmentation.Views(moves[:, 0], moves[:, 1], moves[:, 2].bool())

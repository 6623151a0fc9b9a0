"""Small networks that share images, for the tests of enhancers and of communication."""

from types import SimpleNamespace

import numpy as np
import torch
from torch import nn


class Small(nn.Sequential):
    """A network whose last layer is given vectors."""

    def last_layer(self, key: str) -> nn.Linear:
        return self[3]


def network(seed: int = 0) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Conv2d(1, 4, 3), nn.GELU(), nn.Flatten(), nn.Linear(144, 5)]
        return Small(*layers).eval()


def split_of(n: int, seed: int) -> SimpleNamespace:
    draws = np.random.default_rng(seed)
    return SimpleNamespace(images=draws.integers(0, 256, (n, 1, 8, 8), np.uint8), labels=draws.integers(0, 5, n))


SPLITS = {"val": split_of(60, 1), "test": split_of(33, 2)}

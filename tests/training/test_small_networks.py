"""Networks that are trained for a classifier that stays as it is."""

from types import SimpleNamespace

import torch
from torch import nn

from selfdoubt.training import small_networks


def test_dropout_is_the_seeds_whatever_was_drawn_before():
    settings = SimpleNamespace(method="deep", epochs=2, batch_size=4, learning_rate=0.1)
    rows, found = torch.arange(24.0).view(8, 3), []
    for drawn_before, seed in ((0, 1), (7, 1), (0, 2)):
        torch.rand(drawn_before)
        network = small_networks.untrained(lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 1)), "deep", 0)
        own = lambda index, network=network: network(rows[index]).square().mean()  # noqa: E731
        small_networks.train(network, len(rows), own, settings, seed, "enhancers")
        found.append(network[1].weight.clone())
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])

"""Targets that do not show which images are hard: each has the entropy of another image's target."""

import math

import torch

from selfdoubt.distillation.indices import partners
from selfdoubt.training.losses import entropies

_LARGEST_FACTOR = 1e3  # of logits; the bisection looks between its inverse and it
_HALVINGS = 40  # of that range, on a logarithmic scale: down to a relative 1e-11


def transform(teacher_logits, batch, settings, seed: int):
    """Give each row of logits (b, K) the entropy of another image of the same label, and keep the order of its classes.

    settings: `temperature`, at which entropies are exchanged. It should be that of the loss: at another temperature
    entropies would not be exchanged but changed, and an easy class might become a hard one.

    The partners are a permutation of each label's images in the batch, so that the set of entropies of each label is
    kept; an image may be its own partner. A row reaches its partner's entropy by the one factor of its logits that does
    it. So the difficulty of single images is lost, and the classes that the teacher confuses are kept.
    """
    partner = partners(batch, seed, "entropy-partners")
    softened = teacher_logits.double() / settings.temperature
    return (settings.temperature * _at_entropy(softened, entropies(softened)[partner])).float()


def _at_entropy(logits, wanted) -> torch.Tensor:
    """Return logits (b, K), float64, each row scaled such that its entropy is `wanted` (b,), in nats.

    Entropy falls as the factor rises. Where no factor reaches it, such as less than log 2 of two equal largest
    logits, the nearest end of the range is taken.
    """
    low = torch.full_like(wanted, -math.log(_LARGEST_FACTOR))
    high = -low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        flat = entropies(logits * middle.exp()[:, None]) > wanted
        low, high = torch.where(flat, middle, low), torch.where(flat, high, middle)
    return logits * ((low + high) / 2).exp()[:, None]

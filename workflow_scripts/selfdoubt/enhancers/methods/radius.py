"""Radius: the distance to the decision boundary as confidence (Yan & Weng 2025, who call it the robust radius).

The estimate is this project's. With m = z_yhat - max of the others, the lead of the clean prediction, and L the length
of the way, epsilon or, where there is none, the distance of the linearised boundary, m / |gradient of m|_1, k steps of
L / k follow the sign of the gradient of -m. The radius is where m, linear between steps, is 0; where it stays above, it
is L m(0) / (m(0) - m(L)), on the straight line through the first and the last.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import correctness
from selfdoubt.enhancers.batches import Batch, EnhancedBatch

_FARTHEST = 1000  # times the length of the way, where the lead hardly falls on it, or rises


def enhance(batch: Batch, settings, generator: np.random.Generator) -> EnhancedBatch:
    """Write the radius, in 255ths of the pixel range, into the clean logits as the odds of the kept prediction.

    settings: n_steps; epsilon_255, or none. The images shown are those at the end of the way. Costs n_steps + 1
    forwards and n_steps backwards.
    """
    way = follow(batch, settings)
    distances = 255 * crossings(way.leads, way.length)
    logits = way.logits.cpu().numpy()
    odds = np.log(np.maximum(distances.cpu().numpy().astype(np.float64), 1e-12))
    written = torch.from_numpy(correctness.with_confidence(logits, odds)).to(batch.images.device)
    return EnhancedBatch(written, way.images, way.logits.argmax(1), {"radius_255": distances})


class Way(NamedTuple):
    """Signed steps of n images towards the decision boundary."""

    logits: Tensor  # (n, K), clean
    images: Tensor  # (n, C, H, W), at the end
    leads: Tensor  # (k + 1, n), before the first step and after each
    length: Tensor  # (n,), in units of the pixel range


def follow(batch: Batch, settings) -> Way:
    """Take n_steps signed steps down the lead of the clean prediction, within [0, 1]."""
    slope, logits = gradients.input_gradient(batch.model, batch.images, lambda z: lead(z.argmax(1))(z))
    lead_of_clean = lead(logits.argmax(1))
    leads, images = [lead_of_clean(logits)], batch.images
    bound = getattr(settings, "epsilon_255", None)
    linear = leads[0] / slope.abs().flatten(1).sum(1).clamp(min=1e-12)
    length = linear.clamp(max=1) if bound is None else torch.full_like(linear, bound / 255)
    step = (length / settings.n_steps)[:, None, None, None]
    for i in range(settings.n_steps):
        if i > 0:
            slope, logits_here = gradients.input_gradient(batch.model, images, lead_of_clean)
            leads.append(lead_of_clean(logits_here))
        images = (images - step * slope.sign()).clamp(0, 1)
    return Way(logits, images, torch.stack([*leads, lead_of_clean(batch.logits(images))]), length)


def lead(predicted: Tensor) -> gradients.Objective:
    """Return the objective z of each image's predicted class (n,), less the largest of the others."""

    def objective(logits: Tensor) -> Tensor:
        others = logits.scatter(1, predicted[:, None], -torch.inf).amax(1)
        return logits.gather(1, predicted[:, None])[:, 0] - others

    return objective


def crossings(leads: Tensor, length: Tensor) -> Tensor:
    """Return where leads (k + 1, n), at equal distances from 0 to length (n,), fall to 0: (n,), in units of length."""
    before, after, n_steps = leads[:-1], leads[1:], len(leads) - 1
    first = (after <= 0).int().argmax(0)[None]  # of the steps that cross; 0 where none does
    from_there, to_there = before.gather(0, first)[0], after.gather(0, first)[0]
    between = (first[0] + from_there / (from_there - to_there).clamp(min=1e-12)) / n_steps
    fall = torch.maximum(leads[0] - leads[-1], leads[0] / _FARTHEST).clamp(min=1e-12)
    return length * torch.where((after <= 0).any(0), between, leads[0] / fall)

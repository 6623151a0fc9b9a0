"""Transform-attack: a logistic model of clean logits and of how confidence responds to steps among transformations.

With o the log-odds of the clean prediction, theta = +-eta * sizes * sign of the gradient of o(T_theta x) at theta = 0:
the adversarial examples of Engstrom et al. (2019) and Xiao et al. (2018), a single step of them and in both directions.
The control, `direction: random`, takes steps of the same sizes with random signs.
"""

import math
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import correctness, signal_logistic, transformations
from selfdoubt.enhancers.batches import Batch, EnhancedBatch


def fit(model: nn.Module, val, candidates: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list]:
    """Return, for each candidate, the logistic model fitted on each of the parts (row numbers) of `val`."""
    return signal_logistic.fit(model, val, candidates, parts, seed, signals_of, features_of)


def enhance(batch: Batch, settings, generator: np.random.Generator, fitted: correctness.Logistic) -> EnhancedBatch:
    """Write the model's probability of correctness into the clean logits; the predicted class is kept.

    The images shown are those after the step up.
    """
    return signal_logistic.enhance(batch, settings, generator, fitted, signals_of, features_of)


def signals_of(batch: Batch, settings, generator: np.random.Generator) -> signal_logistic.Signals:
    """Return o(theta+), o(theta-) and their asymmetry, (gain - loss) / (|gain| + |loss|), 0 where nothing changes.

    gain = o(theta+) - o(0), loss = o(0) - o(theta-). Of two random directions, theta+ is the one of the larger o, as it
    nearly always is along a gradient. Costs 3 forwards, and 1 backward along a gradient.
    """
    images, size = batch.images, tuple(batch.images.shape[2:])
    sizes, places_of = _sizes(settings)
    zeros = images.new_zeros(len(images), *sizes.shape)
    if settings.direction == "gradient":
        logits, slope = batch.once(("pixel gradient",), lambda: _pixel_gradient(batch))
        signs = transformations.theta_gradient(images, slope, zeros, places_of).sign()
    else:
        logits = batch.once(("clean",), lambda: batch.logits(images))
        up = torch.from_numpy(generator.random(tuple(zeros.shape), dtype=np.float32) < 0.5).to(images.device)
        signs = torch.where(up, zeros + 1, zeros - 1)
    step = settings.eta * sizes.to(images) * signs
    confidence = gradients.log_odds(logits.argmax(1))
    moved = [transformations.sample(images, places_of(theta, size)) for theta in (step, -step)]
    towards, away = (confidence(batch.logits(each)) for each in moved)
    shown = moved[0]
    if settings.direction == "random":
        shown = torch.where((towards >= away)[:, None, None, None], *moved)
        towards, away = torch.maximum(towards, away), torch.minimum(towards, away)
    gain, loss = towards - confidence(logits), confidence(logits) - away
    asymmetry = (gain - loss) / (gain.abs() + loss.abs()).clamp(min=1e-12)
    columns = {"log_odds_towards": towards, "log_odds_away": away, "transform_asymmetry": asymmetry}
    return signal_logistic.Signals(logits, shown, columns)


def features_of(columns: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the columns as they are."""
    return [*columns.values()]


def _pixel_gradient(batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the clean logits, and the gradient of the log-odds of the prediction with respect to the pixels."""
    gradient, logits = gradients.input_gradient(batch.model, batch.images, gradients.top_log_odds())
    return logits, gradient


def _sizes(settings):
    """Return the size of a step of each parameter for an eta of 1, and the function from parameters to places."""
    if settings.space == "flow":
        shape = 2, settings.grid_size, settings.grid_size
        return torch.full(shape, float(settings.shift_px)), transformations.flow_places
    shift, rotation = settings.shift_px, math.radians(settings.rotation_degrees)
    scale, shear = math.log1p(settings.scale_percent / 100), settings.shear_percent / 100
    return torch.tensor([shift, shift, rotation, scale, shear]), transformations.affine_places

"""mixup: two images blended (Zhang et al. 2018)."""

import torch


def draw_lambda(generator, n: int, settings):
    """Draw lambda, (n,) in [0, 1]."""
    return generator.beta(settings.alpha, settings.alpha, n)


def mix(target, source, drawn, settings):
    """Return lambda target + (1 - lambda) source, and lambda as the target's weight.

    target, source: uint8 (b, C, H, W). Returns the mixed images, float32 of the same range, and the weight (b,).
    """
    weight = drawn.kept.float()
    return torch.lerp(source.float(), target.float(), weight[:, None, None, None]), weight

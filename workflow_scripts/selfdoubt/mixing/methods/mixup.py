"""mixup: two images blended (Zhang et al. 2018)."""

import torch


def draw_share(generator, n: int, settings):
    """Draw lambda, (n,) in [0, 1]."""
    return generator.beta(settings.alpha, settings.alpha, n)


def mix(target, source, drawn, settings):
    """lambda target + (1 - lambda) source, with lambda the target's weight (Zhang et al. 2018).

    target, source: uint8 (b, C, H, W). Returns the mixed images, float32 of the same range, and the weight (b,).
    """
    share = drawn.share.float()
    return torch.lerp(source.float(), target.float(), share[:, None, None, None]), share

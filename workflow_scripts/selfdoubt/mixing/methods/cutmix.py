"""CutMix: a box of the source is pasted into the target (Yun et al. 2019)."""

import torch

from selfdoubt.mixing import boxes


def draw_lambda(generator, n: int, settings):
    """Draw lambda, (n,) in [0, 1]."""
    return generator.beta(settings.beta, settings.beta, n)


def mix(target, source, drawn, settings):
    """Paste the source's box (Yun et al. 2019); the target's label keeps the fraction of pixels that it keeps.

    target, source: (b, C, H, W). Returns the mixed images and the weight (b,) of the target's label.
    """
    inside = boxes.inside(boxes.around(drawn.centre, drawn.kept, target.shape[2:]), target.shape[2:])
    return torch.where(inside[:, None], source, target), 1 - inside.float().mean((1, 2))

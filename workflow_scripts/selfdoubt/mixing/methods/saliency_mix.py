"""SaliencyMix: CutMix with the box around the source's most salient pixel (Uddin et al. 2021)."""

import torch

from selfdoubt.mixing.methods import cutmix
from selfdoubt.mixing.saliency import saliency


def draw_lambda(generator, n: int, settings):
    """Draw lambda as CutMix does, (n,) in [0, 1]."""
    return cutmix.draw_lambda(generator, n, settings)


def place(source, drawn):
    """Return the draws with boxes around the most salient pixel of each source (b, C, H, W)."""
    most = saliency(source).flatten(1).argmax(1)
    centre = torch.stack([most.div(source.shape[3], rounding_mode="floor"), most % source.shape[3]], 1)
    return drawn._replace(centre=centre)


def mix(target, source, drawn, settings):
    """Paste CutMix's box around the source's most salient pixel, by `saliency`.

    The box is pasted where it was cut out, and clipped at the border. Arguments and results as of `cutmix.mix`.
    """
    return cutmix.mix(target, source, drawn, settings)

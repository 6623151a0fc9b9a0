"""Copy-paste: the source's object at a random size and place (Ghiasi et al. 2021)."""

import numpy as np

from selfdoubt.mixing import rescaling
from selfdoubt.mixing.methods import mask_cutmix


def draw_lambda(generator, n: int, settings):
    """Return ones (n,): nothing is drawn, since the objects decide."""
    return np.ones(n)


def mix(target, source, drawn, settings):
    """Paste the source's object, its sides `min_scale` to `max_scale` of their length, its middle anywhere.

    Labels follow what is visible, as of `mask_cutmix`. Arguments and results as of `oa_cutmix`.
    """
    factor = settings.min_scale + (settings.max_scale - settings.min_scale) * drawn.corner[:, 0]
    return mask_cutmix.mix(target, rescaling.rescale(source, factor), drawn, settings)

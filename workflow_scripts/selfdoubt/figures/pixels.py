"""Images on axes."""

import numpy as np
from matplotlib.axes import Axes


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Show (C, H, W) in [0, 1]; one channel as grey."""
    picture = image[0] if len(image) == 1 else np.moveaxis(image, 0, -1)
    axes.imshow(np.clip(picture, 0, 1), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)

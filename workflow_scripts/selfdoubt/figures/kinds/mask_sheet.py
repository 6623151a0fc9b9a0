"""Many images with what a segmenter's masks cover of them, to be looked at one by one."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from selfdoubt.data import datasets, masks
from selfdoubt.data.own_images import positions
from selfdoubt.figures.context import PALETTE, Context
from selfdoubt.figures.pixels import show_image
from selfdoubt.figures.style import INK, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent

SHOWN_AS = "png"  # pixels are smaller and truer so
_GAP_PX = 1


@dataclass(frozen=True)
class Sheet:
    """Images with their masks, in the order in which they are shown."""

    images: np.ndarray  # uint8 (n, C, H, W)
    masks: np.ndarray  # bool (n, H, W)
    names: list[str]  # (n,) the place of each among all, or its confidence
    n_all: int  # of which these are some


def read(inputs, settings, context: Context) -> Sheet:
    """Read training images and their masks: at equal distances, or those of the least confidence."""
    [train], [predicted] = inputs.images, inputs.masks
    split, found = datasets.read_split(train, "train"), masks.read_masks(predicted)
    rows = positions(split.labels, **context.own_images) if context.own_images else np.arange(len(split.labels))
    n = min(settings.n_images, len(rows))
    if settings.order == "least-confident":
        confidence, _ = masks.read_confidence(predicted)
        shown = np.argsort(confidence, kind="stable")[:n]
        names = [f"{value:.2f}" for value in confidence[shown]]
    else:
        shown = np.linspace(0, len(rows) - 1, n).round().astype(int)
        names = list(map(str, range(1, n + 1)))
    return Sheet(datasets.take(split, rows[shown]).images[:], found[shown], names, len(rows))


@mpl.rc_context(STYLE)
def draw(data: Sheet, settings, context: Context) -> Figure:
    """Draw the images in rows, what the masks cover tinted; each is numbered, or has its confidence."""
    n, _, height, width = data.images.shape
    columns = min(settings.n_columns, n)
    tint = np.array(to_rgb(PALETTE[2]))[:, None, None]
    colours = np.broadcast_to(data.images, (n, 3, height, width)) / 255
    shown = np.where(data.masks[:, None], 0.5 * colours + 0.5 * tint, colours)
    canvas = np.ones((3, -(-n // columns) * (height + _GAP_PX), columns * (width + _GAP_PX)))
    figure = new_figure(settings, layout="compressed")
    axes = figure.subplots()
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    for i, image in enumerate(shown):
        top, left = (i // columns) * (height + _GAP_PX), (i % columns) * (width + _GAP_PX)
        canvas[:, top : top + height, left : left + width] = image
        axes.text(left, top, data.names[i], ha="left", va="top", fontsize=7, color=INK, bbox=box)
    show_image(axes, canvas)
    which = "least confident" if settings.order == "least-confident" else "at equal distances"
    header(figure, f"{settings.dataset}, masks of {settings.segmenter}: {n} of {data.n_all:,} training images; {which}")
    return laid_out(figure)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    least = settings.order == "least-confident"
    which = "those of the least confidence, which stands beside each" if least else "at equal distances among all"
    return (
        f"What the masks of {settings.segmenter} cover, of {settings.n_images} training images of {settings.dataset}, "
        f"{which}."
    )

"""Many images with what a segmenter's masks cover of them, to be looked at one by one."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
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
    places: np.ndarray  # (n,) of each among all training images, from 0
    n_all: int  # of which these are some
    confidence: np.ndarray | None = None  # (n,) where they are shown by it


def read(inputs, settings, context: Context) -> Sheet:
    """Read training images and their masks: at equal distances, or those of the least confidence."""
    [train], [predicted] = inputs.images, inputs.masks
    split, found = datasets.read_split(train, "train"), masks.read_masks(predicted)
    rows = positions(split.labels, **context.own_images) if context.own_images else np.arange(len(split.labels))
    n, confidence = min(settings.n_images, len(rows)), None
    if settings.order == "least-confident":
        confidence, _ = masks.read_confidence(predicted)
        shown = np.argsort(confidence, kind="stable")[:n]
        confidence = confidence[shown]
    else:
        shown = np.linspace(0, len(rows) - 1, n).round().astype(int)
    return Sheet(datasets.take(split, rows[shown]).images[:], found[shown], shown, len(rows), confidence)


@mpl.rc_context(STYLE)
def draw(data: Sheet, settings, context: Context) -> Figure:
    """Draw the images in rows, what the masks cover tinted; each is numbered, or has its confidence beside it."""
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
        name = str(i + 1) if data.confidence is None else f"{data.confidence[i]:.2f}"
        axes.text(left, top, name, ha="left", va="top", fontsize=7, color=INK, bbox=box)
    show_image(axes, canvas)
    which = "least confident" if settings.order == "least-confident" else "at equal distances"
    header(figure, f"{settings.dataset}, masks of {settings.segmenter}: {n} of {data.n_all:,} training images; {which}")
    return laid_out(figure)


def table(data: Sheet, settings, context: Context) -> pd.DataFrame:
    """Return each image: its number, its place among all, its confidence, and the fraction that its mask covers."""
    columns = {"image": np.arange(1, len(data.places) + 1), "place": data.places}
    columns |= {} if data.confidence is None else {"confidence": data.confidence.astype(np.float64)}
    return pd.DataFrame(columns | {"covered": data.masks.mean((1, 2))})


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    least = settings.order == "least-confident"
    which = "those of the least confidence, which stands beside each" if least else "at equal distances among all"
    return (
        f"What the masks of {settings.segmenter} cover, of {settings.n_images} training images of {settings.dataset}, "
        f"{which}."
    )

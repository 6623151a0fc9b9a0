"""Images with their masks."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from selfdoubt.data import datasets, masks
from selfdoubt.data.own_images import positions
from selfdoubt.figures.context import PALETTE, Context
from selfdoubt.figures.pixels import show_image
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent

SHOWN_AS = "png"  # pixels are smaller and truer so
_TEXT_INCHES = 0.45  # above and below rows of square images, where the height of the style would leave more blank


@dataclass(frozen=True)
class Gallery:
    """Images with the reference for their masks, and the segmenter's masks."""

    images: np.ndarray  # uint8 (n, C, H, W)
    reference: np.ndarray  # bool (n, H, W)
    predicted: np.ndarray  # bool (n, H, W)
    reference_name: str = "truth"  # or "pseudo-mask", what the segmenter learned from


def read(inputs, settings, context: Context) -> Gallery:
    """Read the first training images, their masks, and the truth, or pseudo-masks where it is not known."""
    [train], [predicted], [pseudo_masks] = inputs.images, inputs.masks, inputs.pseudo_masks
    images, n = datasets.read_split(train, "train"), settings.n_images
    shown = np.arange(len(images.labels))
    if context.own_images:
        shown = positions(images.labels, **context.own_images)
    split = datasets.take(images, shown[:n])
    if context.mask_truth == "none":
        name, reference = "pseudo-mask", masks.read_masks(pseudo_masks)[:n]
    else:
        name, reference = "truth", datasets.foreground(split, context.mask_truth)
    return Gallery(split.images[:], reference, masks.read_masks(predicted)[:n], name)


@mpl.rc_context(STYLE)
def draw(data: Gallery, settings, context: Context) -> Figure:
    """Draw images, reference masks and the segmenter's masks, a column an image."""
    n = min(settings.n_images, len(data.images))
    figure = new_figure(settings, layout="compressed")
    figure.set_figheight(min(figure.get_figheight(), 3 * figure.get_figwidth() / n + _TEXT_INCHES))
    panels = figure.subplots(3, n, squeeze=False)
    for column, image in enumerate(data.images[:n]):
        reference, predicted = data.reference[column], data.predicted[column]
        show_image(panels[0, column], image / 255)
        _show_overlay(panels[1, column], image / 255, reference, PALETTE[5])
        _show_overlay(panels[2, column], image / 255, predicted, PALETTE[6])
        panels[2, column].set_xlabel(f"{_overlap(reference, predicted):.2f}", labelpad=2.5, fontsize=7)
    for axes, name in zip(panels[:, 0], ["image", data.reference_name, "predicted"], strict=True):
        axes.set_ylabel(name, rotation=0, ha="right", va="center", labelpad=4)
    against = f"below: IoU of predicted mask and {data.reference_name}"
    header(figure, f"{settings.dataset}, segmenter {settings.segmenter}, n = {n}; {against}")
    return laid_out(figure)


def table(data: Gallery, settings, context: Context) -> pd.DataFrame:
    """Return the number of each image, from 1, and the intersection over union of its masks."""
    pairs = zip(data.reference, data.predicted, strict=True)
    found = [{"image": i, "iou": _overlap(*pair)} for i, pair in enumerate(pairs, start=1)]
    return pd.DataFrame(found[: settings.n_images], columns=["image", "iou"])


def _overlap(reference: np.ndarray, predicted: np.ndarray) -> float:
    return (reference & predicted).sum() / max((reference | predicted).sum(), 1)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    return (
        f"Masks of the segmenter {settings.segmenter} on {settings.n_images} training images of {settings.dataset}: "
        "the image, the true mask or the pseudo-mask, and the predicted mask with its intersection over union."
    )


def _show_overlay(axes: Axes, image: np.ndarray, mask: np.ndarray, colour: str) -> None:
    tint = np.array(to_rgb(colour))[:, None, None]
    grey = np.broadcast_to(0.75 * image.mean(0), (3, *mask.shape))
    show_image(axes, np.where(mask, 0.5 * grey + 0.5 * tint, grey))

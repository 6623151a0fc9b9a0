"""Images before and after enhancers, with the perturbation magnified."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from selfdoubt.enhancers import examples
from selfdoubt.figures.context import Context
from selfdoubt.figures.pixels import show_image
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, listed

SHOWN_AS = "png"  # pixels are smaller and truer so


@dataclass(frozen=True)
class Examples:
    """A few images before and after one enhancer."""

    clean: np.ndarray  # uint8 (n, C, H, W)
    enhanced: np.ndarray  # float32 (n, C, H, W) in [0, 1]
    clean_confidence: np.ndarray  # (n,)
    enhanced_confidence: np.ndarray  # (n,)
    epsilon_255: float  # the most that a pixel may change, of 255


def read(inputs, settings, context: Context) -> dict[str, Examples]:
    """Read the examples of each enhancer; by arm."""
    pairs = zip(_arms(settings), inputs.examples, strict=True)
    return {arm: Examples(**examples.read(path)) for arm, path in pairs}


@mpl.rc_context(STYLE)
def draw(data: dict[str, Examples], settings, context: Context) -> Figure:
    """Draw, for each enhancer, images before and after, the magnified step, and the confidence before and after."""
    n = min(settings.n_images, *(len(own.clean) for own in data.values()))
    figure = new_figure(settings)
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.025, wspace=0, hspace=0)
    groups = figure.subfigures(1, len(data), wspace=0.05, squeeze=False)[0]
    for (arm, own), group in zip(data.items(), groups, strict=True):
        panels = group.subplots(n, 3, squeeze=False)
        factor = _draw_group(panels, own, n)
        for axes, title in zip(panels[0], ["clean", "enhanced", f"step ×{factor}"], strict=True):
            axes.set_title(title, fontsize=7, pad=3)
        budget = f"\nε = {own.epsilon_255:g}/255" if own.epsilon_255 > 0 else ""
        group.suptitle(f"{context.labels[arm]}{budget}", fontsize=7.5, fontweight="bold")
    shown = f"{settings.dataset}, {_replicate(settings)}, n = {n}"
    header(figure, f"{shown}; below: confidence before → after")
    return laid_out(figure)


def table(data: dict[str, Examples], settings, context: Context) -> pd.DataFrame:
    """Return arm, the number of the image, from 1, and its confidence before and after."""
    parts = []
    for arm, own in data.items():
        columns = {"confidence_clean": own.clean_confidence, "confidence_enhanced": own.enhanced_confidence}
        parts.append(pd.DataFrame({"arm": arm, "image": np.arange(1, len(own.clean) + 1), **columns}))
    return pd.concat(parts, ignore_index=True).query(f"image <= {settings.n_images}")


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    return (
        f"{settings.n_images} images of {settings.dataset} before and after enhancement: "
        f"{listed([label(arm) for arm in _arms(settings)])}, {_replicate(settings)}. The step is magnified by "
        "the factor above it, grey is no change; the numbers are the confidence before and after."
    )


def _replicate(settings) -> str:
    return "first replicate" if settings.replicate is None else f"replicate {settings.replicate}"


def _arms(settings) -> list[str]:
    return [f"{settings.model}/{enhancer}" for enhancer in settings.enhancers]


def _draw_group(panels: np.ndarray, own: Examples, n: int) -> int:
    """Fill rows of clean, enhanced, step; return how much the step is magnified (ε fills the range around grey)."""
    factor = int(127.5 / own.epsilon_255) if own.epsilon_255 > 0 else 1
    for i, (clean, enhanced, step) in enumerate(panels[:n]):
        before, after = own.clean[i] / 255, own.enhanced[i]
        show_image(clean, before)
        show_image(enhanced, after)
        show_image(step, 0.5 + factor * (after - before))
        change = f"{own.clean_confidence[i]:.3f} → {own.enhanced_confidence[i]:.3f}"
        enhanced.set_xlabel(change, fontsize=7, labelpad=2)
    return factor

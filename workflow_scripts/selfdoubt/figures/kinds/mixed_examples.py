"""Pairs of images, and what each mixing makes of them and of their labels."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from selfdoubt.data import counts
from selfdoubt.figures.context import Context
from selfdoubt.figures.pixels import show_image
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, listed
from selfdoubt.runtime import table_files, tensor_files
from selfdoubt.runtime.schemas.counts import COUNTS_SCHEMA
from selfdoubt.settings.class_names import named

SHOWN_AS = "png"  # pixels are smaller and truer so
_COLUMNS = ("target", "its mask", "source", "its mask", "mixed")
_REST = "all"  # classes, over which a part of a label may be spread evenly
_WIDTHS = (1, 1, 1, 1, 2)  # a label is wider than its image


@dataclass(frozen=True)
class Mixed:
    """What mixings make of pairs: model -> arrays of `segmentation.mixed_examples`."""

    examples: dict[str, dict[str, np.ndarray]]
    class_names: list[str]

    def n(self, settings) -> int:
        """Return how many pairs are shown: as many as the settings ask for, if every model has so many."""
        return min(settings.n_images, *(len(own["weight"]) for own in self.examples.values()))

    def label(self, model: str, i: int) -> list[tuple[float, str]]:
        """Return the label of a mixed image: each part's fraction and class; what all classes share comes last."""
        (kept, together), pair = self.examples[model]["weight"][i], self.examples[model]["labels"][i]
        target, source = (self.class_names[label] for label in pair)
        return [(kept * together, target), ((1 - kept) * together, source), (1 - together, _REST)]


def read(inputs, settings, context: Context) -> Mixed:
    """Read the examples of each model, and the names of classes."""
    found = [tensor_files.read(path, "mixed examples")[0] for path in inputs.examples]
    names = counts.class_names(table_files.read_table(inputs.counts[0], COUNTS_SCHEMA))
    return Mixed(dict(zip(settings.models, found, strict=True)), named(context.source, names))


@mpl.rc_context(STYLE)
def draw(data: Mixed, settings, context: Context) -> Figure:
    """Draw a row a model: of each pair the target, the source, the masks if there are any, and the mixed image.

    Raises NothingToShow if some model mixes no pair.
    """
    n = data.n(settings)
    if n == 0:
        raise NothingToShow("of some model no pair of two classes is mixed")
    figure = new_figure(settings)
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.015, wspace=0, hspace=0)
    panels = figure.subplots(len(data.examples), n * len(_COLUMNS), squeeze=False, width_ratios=_WIDTHS * n)
    for row, (model, own) in zip(panels, data.examples.items(), strict=True):
        name = context.labels[model].replace(" (", "\n(")
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", labelpad=4)
        for i, axes in enumerate(row.reshape(n, -1)):
            _draw_pair(axes, {name: values[i] for name, values in own.items()})
            axes[-1].set_xlabel(_text(data.label(model, i)), fontsize=7, labelpad=2)
    for axes, title in zip(panels[0], _COLUMNS * n, strict=True):
        axes.set_title(title, fontsize=7, pad=3)
    header(figure, f"{settings.dataset}, training images of the first replicate; below: the label of the mixed image")
    return laid_out(figure)


def _draw_pair(axes: list[Axes], own: dict[str, np.ndarray]) -> None:
    target, target_mask, source, source_mask, mixed = axes
    for panel, name in ((target, "target"), (source, "source"), (mixed, "mixed")):
        show_image(panel, own[name] / 255)
    height, width = own["mixed"].shape[1:]
    reach = width * _WIDTHS[-1] / 2
    mixed.set_xlim((width - 1) / 2 - reach, (width - 1) / 2 + reach)  # the image is as large as the others
    for panel, name in ((target_mask, "target_mask"), (source_mask, "source_mask")):
        if name in own:
            show_image(panel, own[name][None].astype(float))
        else:
            panel.set_axis_off()
            panel.set_box_aspect(height / width)


def _text(label: list[tuple[float, str]]) -> str:
    shown = [f"{part:.2f} {name}" for part, name in label if part >= 0.005]
    return "\n+ ".join(shown)


def table(data: Mixed, settings, context: Context) -> pd.DataFrame:
    """Return model, the number of the pair, from 1, and each class of the mixed image's label with its fraction."""
    rows = []
    for model in data.examples:
        for i in range(data.n(settings)):
            rows += [{"model": model, "pair": i + 1, "class": c, "fraction": part} for part, c in data.label(model, i)]
    return pd.DataFrame(rows)


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    return (
        f"Pairs of training images of {settings.dataset} under {listed([label(model) for model in settings.models])}: "
        "the target, the source, the masks by which they are mixed, where the method takes any, and the mixed image "
        f'with its label, of which the part "{_REST}" is spread evenly over all classes. They are the first pairs of '
        "two classes, mixed whatever the fraction is in training, and the same for every method that mixes them."
    )

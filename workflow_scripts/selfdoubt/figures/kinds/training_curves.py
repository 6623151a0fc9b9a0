"""A column of the histories of trainings, over epochs."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from selfdoubt.figures.bands import BAND
from selfdoubt.figures.context import Context
from selfdoubt.figures.style import STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, counted, listed
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.training import PARTS_SCHEMA, TRAINING_SCHEMA

SHOWN_AS = "svg"
NAMES = {
    "train_loss": "loss of training batches",
    "val_loss": "cross-entropy on val (nats)",
    "val_accuracy": "accuracy on val",
    "learning_rate": "learning rate",
    "tckd": "TCKD of training batches (nats)",
    "nckd": "NCKD of training batches (nats)",
}


def read(inputs, settings, context: Context) -> dict[str, list[np.ndarray]]:
    """Read the column of each arm, (epochs,) of each replicate; files: arms first, then replicates."""
    schema = TRAINING_SCHEMA if settings.column in TRAINING_SCHEMA.names else PARTS_SCHEMA
    found = [table_files.read_table(path, schema)[settings.column].to_numpy() for path in inputs.histories]
    n = len(found) // len(settings.arms)
    return {arm: found[i * n : (i + 1) * n] for i, arm in enumerate(settings.arms)}


@mpl.rc_context(STYLE)
def draw(data: dict[str, list[np.ndarray]], settings, context: Context) -> Figure:
    """Draw each arm's mean over replicates after each epoch, in a band from the least to the most."""
    figure = new_figure(settings)
    axes = figure.subplots()
    for arm, replicates in data.items():
        look, values = context.looks[arm], np.array(replicates)
        epochs = np.flatnonzero(~np.isnan(values).any(0))  # of val, where the recipe has it evaluated
        values, marker = values[:, epochs], "o" if len(epochs) == 1 else None  # of one epoch a line shows nothing
        axes.fill_between(epochs + 1, values.min(0), values.max(0), color=look.colour, alpha=0.16, linewidth=0)
        axes.plot(epochs + 1, values.mean(0), color=look.colour, linestyle=look.dashes, marker=marker)
    axes.set(xlabel="epoch", ylabel=NAMES[settings.column])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.grid(axis="y")
    lines = [Line2D([], [], color=look.colour, linestyle=look.dashes) for look in map(context.looks.get, data)]
    axes.legend(lines, [context.labels[arm] for arm in data], loc="upper left", bbox_to_anchor=(1.01, 1))
    n_replicates = max(map(len, data.values()))
    header(figure, f"{settings.dataset}; {BAND if n_replicates > 1 else counted(1, 'replicate')}")
    return laid_out(figure)


def table(data: dict[str, list[np.ndarray]], settings, context: Context) -> pd.DataFrame:
    """Return model, replicate (from 1, in the study's order), epoch and value, where there is one."""
    parts = [
        pd.DataFrame({"model": arm, "replicate": i, "epoch": np.arange(1, len(own) + 1), "value": own})
        for arm, replicates in data.items()
        for i, own in enumerate(replicates, start=1)
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset="value")


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows. extent: data set, split, images and replicates."""
    text = (
        f"{NAMES[settings.column][0].upper()}{NAMES[settings.column][1:]} of {listed([*map(label, settings.arms)])} "
        f"after each epoch, on {extent}."
        f"{extent.of_several(' Lines are means over replicates, bands reach from the lowest to the highest.')}"
    )
    if settings.column in ("tckd", "nckd"):
        text += (
            " The divergence from the teacher at the temperature of the loss is TCKD, of the label against the rest, "
            "and NCKD, of the other classes among themselves, the latter times 1 − p of the label."
        )
    return text

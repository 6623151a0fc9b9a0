"""Who persuades whom: what a message gains with each listener."""

from collections.abc import Callable

import matplotlib as mpl
import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from selfdoubt.figures.context import Context
from selfdoubt.figures.style import ABOVE, BELOW, INK, STYLE, header, laid_out, new_figure
from selfdoubt.figures.texts import Extent, NothingToShow, counted
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.persuasion import PERSUASION_SCHEMA

SHOWN_AS = "svg"


def read(inputs, settings, context: Context) -> pd.DataFrame:
    """Read the persuasion tables, one a replicate, one below the other."""
    tables = [table_files.read_table(path, PERSUASION_SCHEMA) for path in inputs.persuasion]
    return pa.concat_tables(table.replace_schema_metadata() for table in tables).to_pandas()


@mpl.rc_context(STYLE)
def draw(data: pd.DataFrame, settings, context: Context) -> Figure:
    """Draw the mean gain in the listener's log p, sender by listener, for messages of the true and other classes.

    data: rows of PERSUASION_SCHEMA of all replicates. Raises NothingToShow if no message was sent.
    """
    if data["gain"].isna().all():
        raise NothingToShow("no message was sent: no test image is contested")
    senders, listeners = (list(dict.fromkeys(data[side])) for side in ("sender", "listener"))
    limit = float(np.nanmax(np.abs(data["gain"].to_numpy(float)), initial=0)) or 1.0
    figure = new_figure(settings, layout="compressed")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, message in zip(panels, ["true", "other"], strict=True):
        rows = data[data["message"] == message]
        names = [[context.labels[member] for member in side] for side in (senders, listeners)]
        picture = _heat_map(axes, *(_by_pair(rows, senders, listeners, how) for how in ("mean", "std")), names, limit)
        n = _largest(rows.groupby("listener")["n"].sum())  # a message has a row for each listener, of whom one will do
        n_replicates = _largest(rows.groupby(["sender", "listener"]).size())
        name = "the true class" if message == "true" else "another class"
        axes.set_title(f"message for {name}\nn = {n:,} messages, {counted(n_replicates, 'replicate')}", loc="left")
        axes.set_xlabel("listener")
    panels[0].set_ylabel("sender")
    bar = figure.colorbar(picture, ax=panels, shrink=0.85, pad=0.02)
    bar.outline.set_visible(False)
    bar.set_label("mean gain (nats)")
    label = context.labels[f"{settings.group}/{settings.protocol}"]
    header(figure, f"{settings.dataset}, test, {label}; contested images only")
    return laid_out(figure)


def table(data: pd.DataFrame, settings, context: Context) -> pd.DataFrame:
    """Return sender, listener, message, and mean and standard deviation of the gain over replicates, in nats."""
    groups = data.groupby(["message", "sender", "listener"], sort=False)
    return groups.agg(gain=("gain", "mean"), sd=("gain", "std"), n=("n", "sum")).reset_index()


def caption(settings, label: Callable[[str], str], extent: Extent) -> str:
    """Return what the figure shows."""
    name = label(f"{settings.group}/{settings.protocol}")
    return (
        f"Who persuades whom in {name} on the contested test images of {settings.dataset}: those whose top class has "
        "too low a probability, the only ones about which messages are sent. Numbers: the listener's mean gain in log "
        "probability, in nats, of the class that a sender's message is for"
        f"{extent.of_several(', as mean ± standard deviation over replicates')}; all members receive every message. "
        "Blue: the listener is persuaded; brown: its probability falls. "
        "A model's message to itself is shown too."
    )


def _by_pair(rows: pd.DataFrame, senders: list[str], listeners: list[str], how: str) -> np.ndarray:
    """Return the gains' mean or standard deviation over replicates, senders by listeners."""
    pairs = rows.pivot_table(index="sender", columns="listener", values="gain", aggfunc=how)
    return pairs.reindex(index=senders, columns=listeners).to_numpy(float)


def _largest(numbers: pd.Series) -> int:
    return int(numbers.max()) if len(numbers) else 0


def _heat_map(axes: Axes, gains: np.ndarray, spreads: np.ndarray, names: list[list[str]], limit: float):
    """Draw one matrix with its numbers and their spreads; white is 0, so that the sign shows in the colour.

    names: of rows and of columns.
    """
    colours = LinearSegmentedColormap.from_list("gain", [BELOW, "#ffffff", ABOVE])
    picture = axes.imshow(gains, cmap=colours, norm=TwoSlopeNorm(0, -limit, limit))
    for place, value in np.ndenumerate(gains):
        text = "–" if np.isnan(value) else f"{value:+.2f}".replace("-", "−")
        text += "" if np.isnan(spreads[place]) else f"\n± {spreads[place]:.2f}"
        colour = "white" if abs(value) > 0.6 * limit else INK
        axes.text(*place[::-1], text, ha="center", va="center", color=colour)
    slant = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names[1])) > 9 else {}
    axes.set_xticks(range(len(names[1])), names[1], **slant)
    axes.set_yticks(range(len(names[0])), names[0])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return picture

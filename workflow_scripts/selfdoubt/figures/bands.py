"""Lines that are means over replicates, in bands from the least to the most, and legends that have values."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from selfdoubt.figures.context import Context, Look

BAND = "mean over replicates, band from least to most"


def band(axes: Axes, x: np.ndarray, values: np.ndarray, look: Look) -> None:
    """Draw the mean of (replicates, x) in a band from the least to the most."""
    axes.fill_between(x, values.min(0), values.max(0), color=look.colour, alpha=0.16, linewidth=0)
    axes.plot(x, values.mean(0), color=look.colour, linestyle=look.dashes)


def numbers_of_bands(x_name: str, x: np.ndarray, values: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return arm, x, mean, least and most of what bands show; values: arm -> (replicates, x)."""
    parts = [
        pd.DataFrame({"arm": arm, x_name: x, "mean": own.mean(0), "least": own.min(0), "most": own.max(0)})
        for arm, own in values.items()
    ]
    return pd.concat(parts, ignore_index=True)


def legend_with_values(axes: Axes, values: dict[str, str], context: Context, title: str) -> None:
    """Draw a legend of two aligned columns: arms, and a text each."""
    looks = [context.looks[arm] for arm in values]
    lines = [Line2D([], [], color=look.colour, linestyle=look.dashes) for look in looks]
    blanks = [Line2D([], [], linestyle="none") for _ in values]
    names = [context.labels[arm] for arm in values]
    box = {"frameon": True, "framealpha": 0.9, "edgecolor": "none", "columnspacing": -0.6, "alignment": "left"}
    axes.legend([*lines, *blanks], [*names, *values.values()], ncols=2, loc="best", title=title, **box)

"""What a figure shows, as a table of comma-separated values beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from selfdoubt.runtime.atomic_files import atomic_path

if TYPE_CHECKING:  # the page, which names the places too, does without half a second of matplotlib
    from matplotlib.figure import Figure

PLACES = ["left_percent", "top_percent"]  # of the figure's width and height: where a point is


def write(path: Path, table: pd.DataFrame) -> None:
    """Write a table with ten digits; equal tables give equal bytes."""
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def placed(table: pd.DataFrame, figure: "Figure", x: str, y: str) -> pd.DataFrame:
    """Return a table of points with where each is on the figure's first axes; x, y: its columns of coordinates."""
    at = figure.axes[0].transData.transform(table[[x, y]].to_numpy(float))
    left, bottom = 100 * (at / figure.bbox.size).T
    return table.assign(**dict(zip(PLACES, (np.round(left, 3), np.round(100 - bottom, 3)), strict=True)))

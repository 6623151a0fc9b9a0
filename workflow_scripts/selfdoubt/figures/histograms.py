"""Histograms of which each adds up to 100 %, whatever the number of its images."""

import numpy as np
from matplotlib.axes import Axes


def edges_of(values: np.ndarray, n_bins: int) -> np.ndarray:
    """Return edges of equal bins, (n_bins + 1,), that leave a thousandth of the values out at either end."""
    low, high = np.quantile(values, [0.001, 0.999])
    return np.linspace(low, high if high > low else low + 1, n_bins + 1)


def percentages(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the percentage of values in each bin; what lies beyond is in the outermost."""
    return 100 * np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0] / max(1, len(values))


def histogram(axes: Axes, percent: np.ndarray, edges: np.ndarray, colour: str) -> None:
    """Draw one histogram, filled, with its outline."""
    axes.stairs(percent, edges, fill=True, color=colour, alpha=0.35)
    axes.stairs(percent, edges, color=colour, linewidth=0.9)

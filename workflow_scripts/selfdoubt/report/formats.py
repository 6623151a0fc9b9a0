"""How numbers are written on the page: means with their spread, and p.

Metrics and their differences are written as in figures (`figures.formats`).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from selfdoubt.figures.formats import Metric, difference, metric_of, number
from selfdoubt.figures.texts import NO_BREAK

__all__ = ["Metric", "difference", "mean_sd", "metric_of", "number", "p_value"]


def mean_sd(values: Sequence[float], metric: Metric, digits: int | None = None) -> tuple[str, str]:
    """Return the mean and "± sd" over replicates as texts; the second is empty where one replicate has no spread."""
    scaled = metric.scale * np.asarray(values, float)
    digits = metric.digits if digits is None else digits
    spread = f"±{NO_BREAK}{number(scaled.std(ddof=1), digits)}" if len(scaled) > 1 else ""
    return number(scaled.mean(), digits), spread


def p_value(p: float | None) -> str:
    """Return "= 0.012", "< 0.001", or "–" where there is none."""
    if p is None or pd.isna(p):
        return "–"
    text = "< 0.001" if p < 0.001 else f"= {p:.2g}" if p < 0.1 else f"= {p:.2f}"
    return text.replace(" ", NO_BREAK)

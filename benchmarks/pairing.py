"""Trainings compared paired by replicate, or as independent samples: which has the smaller error where nothing differs.

    python benchmarks/pairing.py [RUN ...]        # seconds; docs/decisions/0019 has what it printed of RUNS

Two arms vary over replicates as the arms of a finished run do (docs/findings/RUN-metrics.parquet): with the mean
variance of those that were trained, and with the mean covariance of two of them, which training images and order in
common make; and with no covariance. Test images are the same for both analyses, and their part is left out. Each study
is analysed by the paired t-test and by Welch's.
"""

import sys
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from levels import ALPHA, N_STUDIES, SIZES
from scipy import stats

from selfdoubt.runtime.randomness import generator
from selfdoubt.settings.metrics import margin

FINDINGS = Path(__file__).resolve().parents[1] / "docs/findings"
RUNS = ("default", "ensemble-distillation")  # of one data set and several replicates
QUANTITIES = (("aurc", "msp"), ("accuracy", "none"), ("auroc", "msp"))


@dataclass(frozen=True)
class Trained:
    """How a metric of trained arms varies over replicates."""

    run: str
    metric: str
    deviation: float  # of one arm
    correlation: float  # of two arms, replicate by replicate
    margin: float


def trained(path: Path, metric: str, score: str) -> Trained:
    """Return how a metric of the arms that were trained in a run varies, from its table of metrics."""
    rows = pd.read_parquet(path)
    rows = rows[(rows["variant"] == "clean") & (rows["role"] != "group") & (rows["metric"] == metric)]
    values = rows[rows["score"] == score].pivot(index="replicate", columns="name", values="value").to_numpy()
    covariance = np.cov(values.T)  # (arms, arms)
    variance, others = np.diag(covariance).mean(), covariance[~np.eye(len(covariance), dtype=bool)].mean()
    smallest = margin(metric, float(values.mean()))
    return Trained(path.name.removesuffix("-metrics.parquet"), metric, variance**0.5, others / variance, smallest)


def analysed(found: Trained, n: int) -> dict[str, tuple[float, float, float]]:
    """Return of each analysis how often it calls nothing different, its interval's half-width, and power at a margin.

    The half-width is a mean of 95 % intervals, in standard deviations of an arm over replicates.
    """
    draws = generator(0, "pairing", n, found.run, found.metric, round(found.correlation, 6))
    both = [[1, found.correlation], [found.correlation, 1]]
    one, other = np.moveaxis(draws.multivariate_normal([0, 0], both, (N_STUDIES, n)), 2, 0)  # (studies, n) each
    effect = found.margin / found.deviation
    rates = {}
    for name, test in (("paired", stats.ttest_rel), ("unpaired", lambda a, b: stats.ttest_ind(a, b, equal_var=False))):
        nothing, there = test(one.T, other.T), test(one.T + effect, other.T)
        low, high = nothing.confidence_interval(1 - ALPHA)
        found_it = (there.pvalue < ALPHA) & (there.statistic > 0)
        rates[name] = (nothing.pvalue < ALPHA).mean(), ((high - low) / 2).mean(), found_it.mean()
    return rates


def main() -> None:
    print(f"{N_STUDIES} studies each, level {ALPHA}; half-widths in standard deviations of an arm over replicates")
    print(f"{'':76}  called different  half-width        power at a margin")
    print(f"{'run':22}  {'metric':8}  deviation  margin  correlation  replicates{'  paired  unpaired' * 3}")
    paths = [FINDINGS / f"{run}-metrics.parquet" for run in sys.argv[1:] or RUNS]
    seen = [trained(path, *quantity) for path, quantity in product(paths, QUANTITIES)]
    for found in [*seen, replace(seen[0], correlation=0.0)]:
        for n in SIZES:
            each = analysed(found, n)
            (level, other), (width, wider), (power, less) = zip(each["paired"], each["unpaired"], strict=True)
            print(
                f"{found.run:22}  {found.metric:8}  {found.deviation:9.5f}  {found.margin:6.4f}  "
                f"{found.correlation:11.2f}  {n:10}  {level:6.1%}  {other:8.1%}  {width:6.2f}  {wider:8.2f}  "
                f"{power:6.1%}  {less:8.1%}",
                flush=True,
            )


if __name__ == "__main__":
    main()

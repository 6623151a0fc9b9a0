"""The metric rows of the targets: all metrics of a large test set, and a bootstrap, both sides on the same arrays."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from measure import Row, in_turn

from selfdoubt import calibration, metrics, rankings
from selfdoubt.evaluation import evaluate
from selfdoubt.randomness import generator
from selfdoubt.statistics import resample_weights
from selfdoubt.summaries import Predictions
from selfdoubt.threads import ordered_map

N, C, N_RESAMPLES, BINS = 50_000, 1_000, 1_000, 15
N_LOOPED = 10  # resamples of the peers' loop, which is too slow for all of them; its time is scaled up
SETTINGS = SimpleNamespace(
    scores=["msp"],
    metrics=metrics.FAMILIES,
    ece_bins=BINS,
    selective_accuracies_percent=[90, 95, 97, 99, 99.5],
    coverages_percent=[50, 70, 80, 90],
    n_resamples=0,
    resampled_splits=[],
)


@cache
def sample() -> Predictions:
    """Return logits of a model that is right about three times in four, without ties."""
    draws = generator(0, "benchmark")
    labels = draws.integers(0, C, N)
    logits = draws.normal(size=(N, C)).astype(np.float32)
    logits[np.arange(N), labels] += draws.normal(4.2, 1.5, N).astype(np.float32)
    return Predictions(logits, labels)


def rows() -> Iterator[Row]:
    what = f"all metrics, {N:,} x {C:,} float32 logits"
    ours, limit = lambda: evaluate({"test": sample()}, SETTINGS, {}), 0.4
    try:
        seconds, theirs = in_turn(ours, peers(), repeats=3)
        yield Row(what, "torch-uncertainty's equivalents", 1 / seconds, 1 / theirs, "runs/s", "≥", 50, EXPONENTIALS)
    except ImportError as missing:
        print(f"skipped: {missing.name} is not installed; make bench installs it")
        seconds, _ = in_turn(ours, lambda: None, repeats=3)
    yield Row(what, f"a limit of {limit} s", seconds, limit, "s", "≤", 1, EXPONENTIALS)
    what = f"{N_RESAMPLES:,} resamples of AURC + AUROC + ECE, n = {N:,}"
    seconds, theirs = in_turn(bootstrap, looped, repeats=3)
    theirs *= N_RESAMPLES / N_LOOPED
    yield Row(what, "sklearn and numpy in a loop", 1 / seconds, 1 / theirs, "runs/s", "≥", 50, DRAWN)
    yield Row(what, f"a limit of {limit} s", seconds, limit, "s", "≤", 1, DRAWN)
    n = 1_000_000
    yield Row(f"peak memory of the same, n = {n:,}", "a limit of 1 GB", bootstrap_memory_gb(n), 1.0, "GB", "≤", 1)


DRAWN = "every resample is drawn in full: fifty million random counts, at about 4 ns, and their sums, at about 5"
EXPONENTIALS = (
    "more than half of ours is 50 million exponentials in float64, 5 to 6 ns each where NumPy has no vector code for "
    "them (it has for AVX-512 only); shared by two processors, they alone take longer than a fiftieth of theirs"
)


def peers() -> Callable[[], dict[str, float]]:
    """Return a function that computes torch-uncertainty's equivalents, from logits as we do."""
    import torch
    from torch_uncertainty.metrics import classification as tu
    from torchmetrics.classification import BinaryAUROC, MulticlassAccuracy

    logits, labels = torch.from_numpy(sample().logits), torch.from_numpy(sample().labels)
    options = {"task": "multiclass", "num_classes": C, "num_bins": BINS, "norm": "l1"}

    def run() -> dict[str, float]:
        p = logits.softmax(-1)
        kinds = {
            "accuracy": MulticlassAccuracy(C, average="micro"),
            "aurc": tu.AURC(),
            "augrc": tu.AUGRC(),
            "risk-at-coverage-80": tu.RiskAt80Cov(),
            "coverage-at-sac-95": tu.CovAt5Risk(),
            "ece": tu.CalibrationError(**options),
            "ece-adaptive": tu.AdaptiveCalibrationError(**options),
            "nll": tu.CategoricalNLL(),
            "brier": tu.BrierScore(C),
        }
        found = {}
        for name, kind in kinds.items():
            kind.update(p, labels)
            found[name] = kind.compute().item()
        auroc = BinaryAUROC()
        auroc.update(p.max(-1).values, (p.argmax(-1) == labels).int())
        return found | {"auroc": auroc.compute().item()}

    return run


def notes() -> list[str]:
    """Return the same numbers by both sides, as lines of the page; none where the peers are missing."""
    try:
        theirs = peers()()
    except ImportError:
        return []
    ours = {row["metric"]: row["value"] for row in evaluate({"test": sample()}, SETTINGS, {})}
    lines = ["The same numbers by both sides ([why they differ](metrics.md#against-other-implementations)):", ""]
    lines += ["| metric | ours | theirs | difference |", "|---|--:|--:|--:|"]
    lines += [
        f"| {name} | {ours[name]:.6f} | {value:.6f} | {ours[name] - value:+.1e} |" for name, value in theirs.items()
    ]
    return [*lines, ""]


@cache
def ranked() -> tuple[np.ndarray, np.ndarray]:
    """Return the largest probability of each row and whether the row is right."""
    logits = sample().logits.astype(np.float64)
    return 1 / np.exp(logits - logits.max(1, keepdims=True)).sum(1), sample().correct


def bootstrap_memory_gb(n: int) -> float:
    """Return the peak memory of a process of its own that resamples n samples, in GB."""
    code = f"import metrics; metrics.bootstrap(metrics.uncertain({n})); print(metrics.peak_memory_gb())"
    folder = Path(__file__).resolve().parent
    path = os.pathsep.join([str(folder), str(folder.parent / "workflow_scripts")])
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONPATH": path}
    return float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)


def peak_memory_gb() -> float:
    """Return the largest resident memory that this process ever had, in GB (Linux).

    Not getrusage's ru_maxrss, which a process takes over from the one that started it.
    """
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) * 1024 / 1e9


def uncertain(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest probability of n rows, and whether they are right, as often as that says."""
    draws = generator(0, "benchmark")
    top = draws.uniform(0.1, 1, n)
    return top, draws.random(n) < top


def bootstrap(arrays: tuple[np.ndarray, np.ndarray] | None = None) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """One sort, and sums of multinomial weights; arrays: largest probability and correctness."""
    top, correct = arrays or ranked()
    ranking, bins = rankings.rank(top, correct), calibration.bin_gaps(top, correct, BINS)

    def numbers(draw: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = draw()
        resampled = ranking.resampled(weights)
        return rankings.aurc(resampled), rankings.auroc(resampled), calibration.ece(bins.resampled(weights))

    return ordered_map(numbers, resample_weights(len(top), N_RESAMPLES, "benchmark"))


def looped() -> list[tuple[float, float, float]]:
    """The same numbers, each resample drawn out."""
    from sklearn.metrics import roc_auc_score

    (top, correct), draws, found = ranked(), generator(0, "bootstrap"), []
    for _ in range(N_LOOPED):
        index = draws.integers(N, size=N)
        confidence, right = top[index], correct[index]
        errors = np.cumsum(~right[np.argsort(-confidence)])
        bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
        gaps = np.bincount(bins, right - confidence, BINS)
        aurc = (errors / np.arange(1, N + 1)).mean()
        found.append((aurc, roc_auc_score(right, confidence), np.abs(gaps).sum() / N))
    return found

"""The metric rows of the targets: all metrics of a large test set, and a bootstrap, both sides on the same arrays.

Whether both sides come to the same numbers is shown by agreement.py.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from measure import REPEATS, Row, in_turn, seconds_of
from peers import Numbers, drawn_out, drawn_out_by_libraries, torch_uncertainty
from samples import BINS, SETTINGS, C, N, large

from selfdoubt.evaluation import calibration, rankings, scoring
from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.metrics_table import evaluate
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.softmax import BLOCK_NUMBERS
from selfdoubt.runtime import methods
from selfdoubt.runtime.randomness import generator
from selfdoubt.runtime.threads import n_threads, ordered_map

N_RESAMPLES, PURPOSE = 1_000, "benchmark"
N_FEW = 10  # classes where there are many rows
SCORES = {name: scoring.load(name) for name in methods.names_in(scoring.FOLDER)}
UNFITTED = [name for name, module in SCORES.items() if hasattr(module, "score") and not hasattr(module, "fit")]
N_LOOPED = 10  # resamples of the peers' loop, which is too slow for all of them; its time is scaled up


def rows() -> Iterator[Row]:
    what = f"all metrics, {N:,} x {C:,} float32 logits"
    ours, limit = lambda: evaluate(large(), SETTINGS, {}), 0.4
    try:
        seconds, theirs = in_turn(ours, lambda: torch_uncertainty(large()), repeats=3)
        shipped = seconds_of(lambda: torch_uncertainty(large(), as_shipped=True))  # once: it takes a minute
        peer = "torch-uncertainty's equivalents"
        yield Row(what, peer, 1 / seconds, 1 / shipped, "runs/s", "≥", 50, EXPONENTIALS)
        peer += ", its class-wise error without the copies"
        yield Row(what, peer, 1 / seconds, 1 / theirs, "runs/s", "≥", 50, EXPONENTIALS)
    except ImportError as missing:
        print(f"skipped: {missing.name} is not installed; make bench installs it")
        seconds, _ = in_turn(ours, lambda: None, repeats=3)
    yield Row(what, f"a limit of {limit} s", seconds, limit, "s", "≤", 1, EXPONENTIALS)
    what = f"{N_RESAMPLES:,} resamples of AURC + AUROC + ECE, n = {N:,}"
    try:
        yield _loop_row(what, "scikit-learn, torch-uncertainty and torchmetrics in a loop", drawn_out_by_libraries)
    except ImportError as missing:
        print(f"skipped: {missing.name} is not installed; make bench installs it")
    yield _loop_row(what, "scikit-learn and a few lines of NumPy in a loop", drawn_out)
    seconds, _ = in_turn(bootstrap, lambda: None)
    yield Row(what, f"a limit of {limit} s", seconds, limit, "s", "≤", 1, DRAWN)
    n = 1_000_000
    gigabytes = peak_memory_of(f"bootstrap(metrics.uncertain({n}))")
    yield Row(f"peak memory of the same, n = {n:,}", "a limit of 1 GB", gigabytes, 1.0, "GB", "≤", 1)
    gigabytes = peak_memory_of(f"evaluate_many({n})")
    what = f"peak memory of all metrics of {len(UNFITTED)} scores with intervals, {n:,} x {N_FEW}"
    yield Row(what, "a limit of 1 GB", gigabytes, 1.0, "GB", "≤", 1)


def notes() -> list[str]:
    """Return what a machine's processors give together, which differs from one minute to the next where they share."""
    exponents = -np.abs(generator(0, "benchmark").normal(size=BLOCK_NUMBERS))

    def by(threads: int) -> Callable[[], object]:
        def run() -> None:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda _: np.exp(exponents), range(N * C // exponents.size)))

        return run

    one, all_of_them = in_turn(by(1), by(n_threads()))
    return [
        f"{N * C // 10**6} million exponentials in float64, which all metrics cannot do without, took {one:.2f} s by",
        f"one thread and {all_of_them:.2f} s by {n_threads()} (median of {REPEATS}).",
        "",
    ]


DRAWN = "every resample is drawn in full: fifty million random counts, at about 4 ns, and their sums, at about 5"
EXPONENTIALS = (
    "half of ours is 50 million exponentials in float64, 5 to 10 ns each where NumPy has no vector code for "
    "them (it has for AVX-512 only); shared by two processors, they alone take longer than a fiftieth of theirs"
)


@cache
def ranked() -> tuple[np.ndarray, np.ndarray]:
    """Return the largest probability of each row and whether the row is correct."""
    sample = large()["test"]
    logits = sample.logits.astype(np.float64)
    return 1 / np.exp(logits - logits.max(1, keepdims=True)).sum(1), sample.correct


def peak_memory_of(call: str) -> float:
    """Return the peak memory of a process of its own that makes one call of this module, in GB."""
    code = f"import metrics; metrics.{call}; print(metrics.peak_memory_gb())"
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


def evaluate_many(n: int) -> None:
    """Evaluate n rows of few classes, drawn as those of samples.py, with every score that needs no val."""
    draws = generator(0, "benchmark")
    labels = draws.integers(0, N_FEW, n)
    logits = draws.normal(size=(n, N_FEW)).astype(np.float32)
    logits[np.arange(n), labels] += 1.5
    settings = SimpleNamespace(
        **vars(SETTINGS) | {"scores": UNFITTED, "n_resamples": 200, "resampled_splits": ["test"]}
    )
    evaluate({"test": Predictions(2 * logits, labels)}, settings, {})


def uncertain(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest probability of n rows, and whether they are correct, with that probability."""
    draws = generator(0, "benchmark")
    top = draws.uniform(0.1, 1, n)
    return top, draws.random(n) < top


def bootstrap(
    arrays: tuple[np.ndarray, np.ndarray] | None = None, n_resamples: int = N_RESAMPLES
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """One sort, and sums of multinomial weights; arrays: largest probability and correctness.

    Returns AURC, AUROC and ECE of the resamples, part by part.
    """
    top, correct = arrays or ranked()
    ranking, bins = rankings.rank(top, correct), calibration.bin_gaps(top, correct, BINS)

    def numbers(draw: Callable[[], np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weights = draw()
        resampled = ranking.resampled(weights)
        return rankings.aurc(resampled), rankings.auroc(resampled), calibration.ece(bins.resampled(weights))

    return ordered_map(numbers, resample_weights(len(top), n_resamples, PURPOSE))


def looped(numbers: Callable[[np.ndarray, np.ndarray], Numbers]) -> list[Numbers]:
    """The same numbers, each resample drawn out."""
    (top, correct), draws = ranked(), generator(0, "bootstrap")
    indices = (draws.integers(N, size=N) for _ in range(N_LOOPED))
    return [numbers(top[index], correct[index]) for index in indices]


def _loop_row(what: str, peer: str, numbers: Callable[[np.ndarray, np.ndarray], Numbers]) -> Row:
    seconds, theirs = in_turn(bootstrap, lambda: looped(numbers))
    theirs *= N_RESAMPLES / N_LOOPED
    return Row(what, peer, 1 / seconds, 1 / theirs, "runs/s", "≥", 50, DRAWN)

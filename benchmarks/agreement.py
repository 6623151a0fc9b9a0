"""The numbers of both sides of the metric rows, metric by metric and peer by peer.

Nothing is timed here. The large sample is the one that is; the awkward one shows where definitions part, and its plain
twin that nothing else does. docs/metrics.md has the causes.
"""

import math
from dataclasses import dataclass

import numpy as np
from metrics import PURPOSE, bootstrap, ranked
from peers import PEERS, Numbers, Predicted, drawn_out
from samples import BINS, OOD, SETTINGS, C, N, awkward, large, plain

from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.metrics_table import evaluate
from selfdoubt.evaluation.softmax import Softmax

N_DRAWN_OUT = 5  # resamples that are compared one by one
DRAWN_OUT_BY = {"aurc": "NumPy", "auroc": "scikit-learn", "ece": "NumPy"}


@dataclass(frozen=True)
class Pair:
    """One number by both sides."""

    metric: str
    ours: float
    peer: str
    theirs: float

    @property
    def difference(self) -> float:
        return self.ours - self.theirs


def rows() -> list:
    """Return nothing: no target is set for it."""
    return []


def notes() -> list[str]:
    """Return the comparisons, as lines of the page."""
    timed, small = compare(large()), compare(awkward())
    return [
        f"The same numbers by both sides, of what is timed: {N:,} x {C:,} float32 logits, and {_n_outside(large()):,}",
        "rows out of distribution ([why they differ](metrics.md#against-other-implementations)):",
        "",
        *table(timed),
        "",
        *without_equivalent(timed),
        "",
        *facts(awkward()),
        *table(small, {(pair.metric, pair.peer): pair for pair in compare(plain(awkward()))}),
        "",
        f"The bootstrap, of {N_DRAWN_OUT} resamples the one that differs most; the peers see the same one, drawn out:",
        "",
        *table(compare_resamples()),
        "",
    ]


def our_numbers(predictions: Predicted) -> Numbers:
    """Return the value of each metric that exists."""
    rows = evaluate(predictions, SETTINGS, {})
    return {row["metric"]: row["value"] for row in rows if row["value"] is not None}


def compare(predictions: Predicted) -> list[Pair]:
    """Return what all installed peers make of the predictions, metric after metric."""
    ours, theirs = our_numbers(predictions), {}
    for peer, numbers in PEERS.items():
        try:
            theirs[peer] = numbers(predictions)
        except ImportError as missing:
            print(f"skipped: {missing.name} is not installed; make bench installs it")
    return [
        Pair(metric, ours[metric], peer, found[metric])
        for metric in ours
        for peer, found in theirs.items()
        if metric in found
    ]


def compare_resamples() -> list[Pair]:
    """Return AURC, AUROC and ECE of the resample in which both sides differ most.

    The peers are handed each sample as often as its weight, so that both see the very same resample.
    """
    top, correct = ranked()
    parts = [draw() for draw in resample_weights(N, N_DRAWN_OUT, PURPOSE)]
    theirs = [drawn_out(np.repeat(top, each), np.repeat(correct, each)) for part in parts for each in part]
    ours = np.concatenate(bootstrap((top, correct), N_DRAWN_OUT), axis=1)  # (3, n_resamples)
    pairs = []
    for (metric, peer), values in zip(DRAWN_OUT_BY.items(), ours, strict=True):
        each = [Pair(metric, value, peer, found[metric]) for value, found in zip(values, theirs, strict=True)]
        pairs.append(max(each, key=lambda pair: abs(pair.difference)))
    return pairs


# ---- lines of the page ----


def table(pairs: list[Pair], twins: dict[tuple[str, str], Pair] | None = None) -> list[str]:
    """Return the pairs in Markdown; twins: the same of plain predictions, of which the difference is shown."""
    lines = ["| metric | ours | peer | theirs | difference |", "|---|--:|---|--:|--:|"]
    if twins:
        lines = [f"{lines[0]} plain |", f"{lines[1]}--:|"]
    for pair in pairs:
        line = f"| {pair.metric} | {pair.ours:.6f} | {pair.peer} | {pair.theirs:.6f} | {_signed(pair)} |"
        lines.append(f"{line} {_signed(twins[pair.metric, pair.peer])} |" if twins else line)
    return lines


def without_equivalent(pairs: list[Pair]) -> list[str]:
    """Return a line for each peer on the metrics that it has, or lacks where these are fewer."""
    metrics, lines = list(our_numbers(large())), []
    for peer in dict.fromkeys(pair.peer for pair in pairs):
        found = [pair.metric for pair in pairs if pair.peer == peer]
        lacking = [metric for metric in metrics if metric not in found]
        extent = f"all but {', '.join(lacking)}" if len(lacking) < len(found) else "those above"
        lines.append(f"- {peer} has {len(found)} of our {len(metrics)} numbers: {extent}.")
    return lines


def facts(predictions: Predicted) -> list[str]:
    """Return what is awkward about predictions."""
    test = predictions["test"]
    top = Softmax(test.logits).max_probability()
    _, sizes = np.unique(top, return_counts=True)
    edges = np.isin(top, np.arange(1, BINS) / BINS).sum()
    n, n_classes = test.logits.shape
    return [
        f"And of an awkward sample, {n:,} x {n_classes} float64 logits and {_n_outside(predictions):,} rows out of",
        f"distribution: {sizes[sizes > 1].sum():,} rows share their largest probability with others, {edges} have it",
        f"on the edge of a bin, and of {(top == 1).sum()} it rounds to 1, one of them incorrect. `plain` is the",
        "difference after noise of 1e-4 on the logits, which breaks ties and moves rows off the edges, and without the",
        "rows that round to 1:",
        "",
    ]


def _n_outside(predictions: Predicted) -> int:
    return len(predictions[OOD].labels)


def _signed(pair: Pair) -> str:
    return f"{pair.difference:+.1e}" if math.isfinite(pair.difference) else "–"

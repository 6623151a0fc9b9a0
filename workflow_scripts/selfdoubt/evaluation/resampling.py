"""Values of metrics in bootstrap resamples of one split, the same resamples for every model."""

from collections.abc import Callable

import numpy as np

from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.failures import mixed_sizes
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.splits import corruption_of, is_ood, needed_splits
from selfdoubt.evaluation.summaries import Key, Summary
from selfdoubt.runtime.threads import ordered_map

COUNTS_AT_ONCE = 2**23  # of a million samples, eight resamples: what metrics compute on the way fills the memory
Values = dict[tuple[str, str], np.ndarray]  # (score, metric) -> (n_resamples,)


def split_sizes(predictions: dict[str, Predictions], split: str) -> dict[str, int]:
    """Return the number of rows of each split from which the metrics of `split` are computed."""
    sizes = {name: len(predictions[name].labels) for name in needed_splits(split) if name in predictions}
    both = is_ood(split) and len(sizes) == 2
    return dict(zip(sizes, mixed_sizes(split, *sizes.values()), strict=True)) if both else sizes


def drawn_weights(sizes: dict[str, int], n_resamples: int) -> list[Callable[[], np.ndarray]]:
    """Return functions that draw parts (n_resamples, n) of weights, each split resampled by itself.

    They are the same for every model. Corrupted splits, which show the same images, are resampled alike.
    """
    purposes = {split: "bootstrap/" + ("corrupted" if corruption_of(split) else split) for split in sizes}
    total = sum(sizes.values())
    draws = [resample_weights(n, n_resamples, purposes[split], total) for split, n in sizes.items()]
    if len(draws) == 1:
        return draws[0]
    return [lambda parts=parts: np.concatenate([part().T for part in parts]).T for parts in zip(*draws, strict=True)]


def resample(
    summaries: dict[Key, Summary], functions: dict[Key, dict[str, Callable]], sizes: dict[str, int], n: int
) -> Values:
    """Return the values of functions[score, kind][name] in each of n resamples."""
    functions = {key: functions[key] for key in summaries if functions.get(key)}

    def values(draw: Callable[[], np.ndarray]) -> Values:
        weights, found = draw(), {}
        step = max(1, COUNTS_AT_ONCE // weights.shape[1])
        few = [weights[start : start + step] for start in range(0, len(weights), step)]
        for (score, kind), named in functions.items():
            found_of = [_of_one(summaries[score, kind].resampled(each), named) for each in few]
            found |= {(score, name): np.concatenate([each[name] for each in found_of]) for name in named}
        return found

    parts = ordered_map(values, drawn_weights(sizes, n)) if functions else []
    return {key: np.concatenate([part[key] for part in parts]) for key in (parts[0] if parts else [])}


def _of_one(resampled: Summary, functions: dict[str, Callable]) -> dict[str, np.ndarray]:
    """Return the values of the functions; of a call, so that what was resampled is freed before the next is."""
    return {name: function(resampled) for name, function in functions.items()}


def mean_resampled(members: list) -> np.ndarray | None:
    """Return the mean of the members' values in each resample, (n_resamples,); None where one has none."""
    return None if any(values is None for values in members) else np.mean(members, axis=0)

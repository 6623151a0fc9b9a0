"""Contested views: a weighted pool, whose members predict several views of the images about which it is uncertain.

Where the largest probability of the pool is below `contested_below`, the probabilities of each member become its mean
over views, and the pool decides again, with the same weights. Everything else is the pool's. `where: random` gives
views to as many images of each split, drawn at random; `views: noise` makes them by noise in the place of geometry.
"""

import numpy as np
from torch import nn

from selfdoubt.communication import kept_gains
from selfdoubt.communication.decisions import Decision, predict_clean
from selfdoubt.communication.out_of_fold import CrossFit, fit_on_val
from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.communication.protocols.weighted_pool import POOL
from selfdoubt.communication.views import mean_over_views
from selfdoubt.enhancers import crossfit
from selfdoubt.runtime import randomness


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the pool fitted on val, of what members predict of clean images and of views; val out-of-fold.

    Raises Undefined if val has fewer images than folds, or logits that are not finite.
    """
    clean = {name: predict_clean(models, split) for name, split in splits.items()}
    fitted = fit_on_val([*clean["val"].values()], splits["val"].labels, settings, POOL.fit, POOL.predict)
    logits, kept, fraction = {}, {}, 0.0
    for name, split in splits.items():
        members = [*clean[name].values()]
        before = decided(fitted, name, members)
        rows = viewed_rows(before, settings, randomness.generator(seed, f"contested-views/{name}"))
        after = [member.astype(np.float64) for member in members]
        images = crossfit.subset(split, rows).images
        for i, model in enumerate(models.values()):
            generator = randomness.generator(seed, f"views/{name}", i)
            after[i][rows] = mean_over_views(model, images, members[i][rows], settings, generator)
        logits[name] = decided(fitted, name, after).astype(np.float32) if len(rows) else before.astype(np.float32)
        if name in ("val", "test"):
            both = np.intersect1d(rows, contested_rows(before, settings))  # of random images not all are contested
            log_p = [[log_probabilities(member[both]) for member in each] for each in (members, after)]
            kept[name] = kept_gains.of_members(both, before[both], *log_p)
        if name == "test":
            fraction = len(rows) / max(len(before), 1)
    costs = {"forwards": len(models) * (1 + fraction * (settings.n_views - 1)), "backwards": 0.0}
    return Decision(logits, None, [], costs, chosen={"penalty": fitted.penalty}, kept=kept)


def decided(fitted: CrossFit, split: str, logits: list[np.ndarray]) -> np.ndarray:
    """Return the pool's log probabilities (n, K) of a split from the members' logits (n, K) each."""
    return fitted.of_val(logits) if split == "val" else fitted.elsewhere(logits)


def viewed_rows(log_p: np.ndarray, settings, generator: np.random.Generator) -> np.ndarray:
    """Return the rows of which views are predicted, in rising order; log_p: of the pool, (n, K)."""
    contested = contested_rows(log_p, settings)
    if settings.where == "random":
        return np.sort(generator.permutation(len(log_p))[: len(contested)])
    return contested


def contested_rows(log_p: np.ndarray, settings) -> np.ndarray:
    """Return the rows about which the pool is uncertain, in rising order; log_p: of the pool, (n, K)."""
    return np.flatnonzero(np.exp(log_p.max(1)) < settings.contested_below)

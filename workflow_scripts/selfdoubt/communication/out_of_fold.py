"""Fits on val with a penalty, and their out-of-fold predictions of val itself.

The penalty is the one of least NLL in cross-validation within val. What has many weights overfits val, so its own rows
are predicted by the fit without their fold: a temperature that is fitted on them next would otherwise be one of a more
confident model.

A fit and its predictions are functions of a list of arrays, each with a row an image, such as the members' logits:

    fit(arrays, labels, penalty, start) -> weights        start: weights to begin with, or None
    predict(arrays, weights) -> log probabilities (n, K)
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.folds import stratified_folds
from selfdoubt.evaluation.softmax import first_fault
from selfdoubt.evaluation.undefined import Undefined


class CrossFit(NamedTuple):
    """What was fitted on all of val, and without each of its folds."""

    penalty: float
    weights: np.ndarray
    fold: np.ndarray  # (n,) of each image of val
    without: list[np.ndarray]  # the weights of the fit without each fold
    predict: Callable

    def of_val(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return out-of-fold log probabilities (n, K) of the rows of val."""
        found = None
        for held_out, weights in enumerate(self.without):
            away = self.fold == held_out
            part = self.predict([array[away] for array in arrays], weights)
            found = np.empty((len(away), part.shape[1])) if found is None else found
            found[away] = part
        return found

    def elsewhere(self, arrays: list[np.ndarray]) -> np.ndarray:
        """Return log probabilities (n, K) of images that are not of val."""
        return self.predict(arrays, self.weights)


def decide(members: Members, settings, fit: Callable, predict: Callable) -> Combined:
    """Decide by what is fitted on val to the members' logits, at the penalty chosen there.

    Raises Undefined as `fit_on_val` does.
    """
    found = fit_on_val(members.val_logits, members.val_labels, settings, fit, predict)
    log_p = found.elsewhere(members.logits)
    log_p[members.is_val] = found.of_val(members.val_logits)
    return Combined(log_p, {"penalty": found.penalty})


def fit_on_val(logits: list[np.ndarray], labels: np.ndarray, settings, fit: Callable, predict: Callable) -> CrossFit:
    """Fit to the members' logits of val; raise Undefined if val has fewer images than folds, or logits not finite."""
    if len(labels) < settings.n_folds:
        raise Undefined(f"{len(labels)} samples in val, and {settings.n_folds} folds")
    for member in logits:
        if fault := first_fault(member, labels):
            raise Undefined(f"val: {fault}")
    return cross_validate(logits, labels, settings, fit, predict)


def cross_validate(
    arrays: list[np.ndarray], labels: np.ndarray, settings, fit: Callable, predict: Callable
) -> CrossFit:
    """Return the fit at the penalty of least NLL in cross-validation, the largest of equals.

    settings: has `penalty`, a list, and `n_folds`.
    """
    penalties, fold = sorted(settings.penalty, reverse=True), stratified_folds(labels, settings.n_folds)
    fitted = [[] for _ in penalties]  # of each, the weights without each fold
    nll = np.empty((len(penalties), len(labels)))
    for held_out in range(settings.n_folds):
        away, weights = fold == held_out, None
        inside, outside = ([array[rows] for array in arrays] for rows in (~away, away))
        for i, penalty in enumerate(penalties):
            weights = fit(inside, labels[~away], penalty, weights)  # starting from the last ones: fewer steps
            fitted[i].append(weights)
            nll[i, away] = -predict(outside, weights)[np.arange(away.sum()), labels[away]]
    best = int(nll.sum(1).argmin())
    return CrossFit(penalties[best], fit(arrays, labels, penalties[best], None), fold, fitted[best], predict)

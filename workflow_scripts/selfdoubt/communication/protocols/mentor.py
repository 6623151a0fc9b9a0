"""Mentor: where the mean is contested, a fit picks the member that is most probably correct (arXiv 2410.02384).

A member's mentor is a logistic regression that predicts whether the member is correct, fitted on the contested images
of val, at the penalty of least NLL in cross-validation; val is decided out of fold. It is given

    the member's log p of its predicted class and of the next, the log p of every other member of that predicted class,
    the mean's, and whether it is the mean's predicted class
    of each message of every other member: the member's gain, and whether its predicted class changed

and with `reads: predictions`, the control, the first line alone, so that nothing is sent. Elsewhere the mean
probability decides. The paper's mentor is a deep network on the image, trained on many errors; val has some hundreds.
"""

import numpy as np
from torch import nn

from selfdoubt.communication import logistic, out_of_fold
from selfdoubt.communication.decisions import Decision, predict_clean
from selfdoubt.communication.exchange import Messages, contested, exchange
from selfdoubt.communication.gains import kept_of, pair_gains
from selfdoubt.communication.probabilities import log_probabilities, mean_probability
from selfdoubt.evaluation.correctness_model import moments, with_intercept
from selfdoubt.evaluation.undefined import Undefined


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the mean probability, and where it is contested by the member that is expected to be correct.

    Raises Undefined if val has fewer contested images than folds.
    """
    clean = {name: predict_clean(models, split) for name, split in splits.items()}
    prior = {name: mean_probability([*logits.values()]) for name, logits in clean.items()}
    rows = {name: contested(prior[name], settings.contested_below, settings.n_candidates)[0] for name in splits}
    if len(rows["val"]) < settings.n_folds:
        raise Undefined(f"{len(rows['val'])} contested samples in val, and {settings.n_folds} folds")
    costs, sent = {"forwards": 0.0, "backwards": 0.0}, {}
    if settings.reads == "reactions":
        sent = {
            name: exchange(models, [*models], split, clean[name], prior[name], settings, (seed, name))
            for name, split in splits.items()
        }
        costs = sent["test"].costs
    expected = {name: np.empty((len(models), len(rows[name]))) for name in splits}  # log P(correct) of each member
    for i in range(len(models)):
        given = {
            name: _given(i, [logits[rows[name]] for logits in clean[name].values()], sent.get(name), settings)
            for name in splits
        }
        for name, log_p in _expected(given, _correct(i, clean["val"], splits["val"], rows["val"]), settings).items():
            expected[name][i] = log_p
    logits = {}
    for name, log_p in prior.items():
        each = np.stack([log_probabilities(member[rows[name]]) for member in clean[name].values()])  # (L, m, K)
        log_p[rows[name]] = each[expected[name].argmax(0), np.arange(len(rows[name]))]
        logits[name] = log_p.astype(np.float32)
    own = np.eye(len(models), dtype=bool)
    kept = {name: kept_of(sent[name], ~own, own, settings.gains_relative_to) for name in ("val", "test") if sent}
    return Decision(logits, None, [], {**costs, "forwards": costs["forwards"] + len(models)}, kept=kept)


def _correct(i: int, clean: dict[str, np.ndarray], split, rows: np.ndarray) -> np.ndarray:
    return [*clean.values()][i][rows].argmax(1) == split.labels[rows]


def _expected(given: dict[str, np.ndarray], correct: np.ndarray, settings) -> dict[str, np.ndarray]:
    """Return log P(correct) of each split, (m,); given: (m, p) of each. correct: (m,) of val, which is out of fold."""
    mean, deviation = moments(given["val"])
    arrays = {name: [np.zeros(len(x)), with_intercept((x - mean) / deviation)] for name, x in given.items()}
    fit, predict = logistic.fit, logistic.predict
    fitted = out_of_fold.cross_validate(arrays["val"], (~correct).astype(np.int64), settings, fit, predict)
    found = {name: fitted.elsewhere(each)[:, 0] for name, each in arrays.items() if name != "val"}
    return found | {"val": fitted.of_val(arrays["val"])[:, 0]}


def _given(i: int, logits: list[np.ndarray], sent: Messages | None, settings) -> np.ndarray:
    """Return what the mentor of member i is given of contested images, (m, p); logits: (m, K) of each member."""
    each = np.stack([log_probabilities(member) for member in logits])  # (L, m, K)
    named, mean = each[i].argmax(1), mean_probability(logits)
    of_named = np.take_along_axis(np.concatenate([each, mean[None]]), named[None, :, None], axis=2)[..., 0]
    found = [of_named.T, np.sort(each[i], axis=1)[:, -2:-1], (mean.argmax(1) == named)[:, None]]
    if sent is not None:
        own = np.eye(len(logits), dtype=bool)
        others = ~own[i]
        gains = pair_gains(sent, own, settings.gains_relative_to)[..., others, i]  # (m, k, L - 1)
        changed = sent.predicted[..., others, i] != named[:, None, None]
        n_messages = gains.shape[1] * gains.shape[2]  # not -1: there may be no contested image
        found += [part.reshape(len(named), n_messages) for part in (gains, changed)]
    return np.hstack(found).astype(np.float64)

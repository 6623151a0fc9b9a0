"""The information test: what gains say of which of two classes is correct, beyond the members' predictions.

Of the contested images of which one of the two top classes is the label, a logistic regression predicts which:

    log odds of the first = mean_m d_m + sum_m w_m d_m + b_first - b_second + a      without gains
                            ... + sum_f u_f (g_f(first) - g_f(second)) / s_f         with them

d_m is member m's log odds of the two classes, b has a number for each class, a is one number, g_f the gain of a pair of
sender and listener, s_f the standard deviation of the difference. The L2 penalty is cross-validated within the fit.
Each fold of test is predicted by a fit to val and to the other folds: no label of an image is in the fit that predicts
it, and no protocol makes use of these fits. The difference of the two NLLs is the information, whatever a protocol
does with it; below 0 gains are informative.

Left out: a fit to val alone, whose contested images are too few for so many weights, so that everything would be
negligible.
"""

import numpy as np

from selfdoubt.communication import logistic, out_of_fold
from selfdoubt.communication.folds import stratified_folds
from selfdoubt.communication.kept_gains import KeptGains
from selfdoubt.communication.probabilities import log_probabilities
from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.evaluation.verdicts import LEAST_REPLICATES
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA

ALPHA = 0.05


class Measured:
    """The NLLs (n,) of the images of test that were evaluated, without and with gains, and their ids."""

    def __init__(self, ids: np.ndarray, without: np.ndarray, with_gains: np.ndarray):
        self.ids, self.without, self.with_gains = ids, without, with_gains
        self.difference = with_gains - without


def measure(members: dict[str, list[Predictions]], kept: dict[str, KeptGains], settings) -> Measured:
    """Predict the images of test without and with gains, out of fold.

    members, kept: by "val" and "test"; members: the predictions of each. settings: has penalty and n_folds. Raises
    Undefined if test has too few images for folds.
    """
    of_val, of_test = (_design(members[split], kept[split]) for split in ("val", "test"))
    labels = of_test[3]
    if min(np.bincount(labels, minlength=2)) < settings.n_folds:
        found = f"{len(labels)} images of test are contested between their label and one other class"
        raise Undefined(f"{found}, and there are {settings.n_folds} folds")
    if not len(of_val[3]):
        of_val = tuple(part[:0] for part in of_test)  # no gains of val, and so none of their number
    offset, clean, gains, target, _ = map(np.concatenate, zip(of_val, of_test, strict=True))
    spread = gains.std(0)
    both = np.hstack([clean, gains / np.where(spread > 0, spread, 1)])
    fold = np.concatenate([np.full(len(of_val[3]), -1), stratified_folds(labels, settings.n_folds)])
    nlls = [_out_of_fold(offset, features, target, fold, settings) for features in (clean, both)]
    return Measured(of_test[4], *nlls)


def _design(members: list[Predictions], kept: KeptGains) -> tuple:
    """Return offset (n,), clean features (n, p), gains (n, F), which class is correct (n,) and ids of usable images."""
    rows, labels = kept.rows, members[0].labels[kept.rows]
    usable = (kept.candidates == labels[:, None]).any(1)
    rows, pair = rows[usable], kept.candidates[usable]
    each = [np.take_along_axis(log_probabilities(one.logits[rows]), pair, axis=1) for one in members]
    odds = np.stack([log_p[:, 0] - log_p[:, 1] for log_p in each], axis=1)  # (n, L)
    classes = np.eye(members[0].logits.shape[1])
    clean = np.hstack([odds, classes[pair[:, 0]] - classes[pair[:, 1]], np.ones((len(rows), 1))])
    gains = kept.gains[usable]
    target = (pair[:, 1] == labels[usable]).astype(np.int64)  # 0: the first
    return odds.mean(1), clean, gains[:, 0] - gains[:, 1], target, members[0].image_ids[rows]


def _out_of_fold(offset, features, target, fold: np.ndarray, settings) -> np.ndarray:
    """Return the NLL (n,) of the images of test, whose fold is not -1, by fits without their fold."""
    found = np.empty(len(target))
    for held_out in range(settings.n_folds):
        away = fold == held_out
        inside, fit = ([offset[~away], features[~away]], target[~away]), (logistic.fit, logistic.predict)
        fitted = out_of_fold.cross_validate(*inside, settings, *fit)
        log_p = fitted.elsewhere([offset[away], features[away]])
        found[away] = -log_p[np.arange(away.sum()), target[away]]
    return found[fold >= 0]


# ---- rows ----


def rows_of(measured: dict[int, Measured | Undefined], identity: dict, margin: float) -> list[dict]:
    """Return rows of INFORMATION: of each replicate, and over all that have numbers; measured: by replicate."""
    rows, known = [], {n: each for n, each in measured.items() if isinstance(each, Measured)}
    for replicate, each in measured.items():
        own = {"reason": str(each)} if isinstance(each, Undefined) else _numbers([each], contrast([each]))
        rows.append(_empty(margin) | identity | {"replicate": replicate} | own)
    if known:
        found = contrast([*known.values()])
        variances = {"image_variance": found.image_variance, "shared": found.shared}
        numbers = _numbers([*known.values()], found) | variances | {"verdict": _verdict(found, margin)}
        rows.append(_empty(margin) | identity | numbers)
    return rows


def _empty(margin: float) -> dict:
    return dict.fromkeys(INFORMATION_SCHEMA.names) | {"margin": margin}


def _numbers(measured: list[Measured], found: Contrast) -> dict:
    low, high = found.interval(1 - ALPHA) if found.error() > 0 else (None, None)
    return {
        "n": round(np.mean([len(each.ids) for each in measured])),
        "without": float(np.mean([each.without.mean() for each in measured])),
        "with": float(np.mean([each.with_gains.mean() for each in measured])),
        "difference": found.difference,
        "low": low,
        "high": high,
    }


def contrast(measured: list[Measured]) -> Contrast:
    """Return the mean difference over replicates, whose variance is that of replicates and of the images they share."""
    centred = [(each.difference - each.difference.mean()) / len(each.ids) for each in measured]
    own = float(np.mean([(each**2).sum() for each in centred]))
    shared = [
        _covariance(measured[i].ids, centred[i], measured[j].ids, centred[j])
        for i in range(len(measured))
        for j in range(i)
    ]
    differences = tuple(float(each.difference.mean()) for each in measured)
    covariance = max(0.0, float(np.mean(shared))) if shared else own
    return Contrast(differences, own, covariance, min(len(each.ids) for each in measured))


def _covariance(ids: np.ndarray, one: np.ndarray, others: np.ndarray, other: np.ndarray) -> float:
    _, here, there = np.intersect1d(ids, others, assume_unique=True, return_indices=True)
    return float(one[here] @ other[there])


def _verdict(found: Contrast, margin: float) -> str:
    """Return the verdict at a level of 5 %, of this protocol alone; fewer than five replicates decide nothing."""
    if found.error() == 0:
        return "negligible" if abs(found.difference) < margin else "inconclusive"
    if found.n < LEAST_REPLICATES:
        return "inconclusive"
    low, high = found.interval(1 - ALPHA)
    if high < 0:
        return "informative, smaller than the margin" if low > -margin else "informative"
    return "negligible" if found.p_within(margin) < ALPHA else "inconclusive"

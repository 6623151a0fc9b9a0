"""What other implementations make of the same predictions: a function for each, from predictions to metric -> value.

torch-uncertainty starts from logits, as we do, since it is timed; the others are handed float64 probabilities. A
metric that a peer has no equivalent of is left out.
"""

from collections.abc import Callable

import numpy as np
from samples import BINS, OOD, SETTINGS

from selfdoubt.evaluation.predictions import Predictions

Predicted = dict[str, Predictions]
Numbers = dict[str, float]


class Probabilities:
    """Float64 probabilities, and what follows from them.

    p: (n, C) and labels: (n,) of the test split. both: (n + m,) the largest probability of its rows and of those out
    of distribution. inside: (n + m,) bool.
    """

    def __init__(self, predictions: Predicted):
        from scipy.special import softmax

        test, outside = predictions["test"], predictions[OOD]
        self.p, self.labels = softmax(test.logits.astype(np.float64), axis=1), test.labels
        self.top, self.correct = self.p.max(1), self.p.argmax(1) == self.labels  # (n,)
        self.both = np.append(self.top, softmax(outside.logits.astype(np.float64), axis=1).max(1))
        self.inside = np.arange(len(self.both)) < len(self.labels)


# ---- torch-uncertainty ----


def torch_uncertainty(predictions: Predicted, as_shipped: bool = False) -> Numbers:
    """Return its numbers, and torchmetrics' where it takes them from there itself.

    as_shipped: with its class-wise calibration error, which copies at each class all those before. Else with the mean
    of what that asks torchmetrics for, class by class: the same number, ten times as fast for a thousand classes.
    """
    import torch
    from torch_uncertainty.metrics import FPR95
    from torchmetrics.classification import BinaryAUROC, BinaryAveragePrecision

    p, outside = (torch.from_numpy(predictions[split].logits).softmax(-1) for split in ("test", OOD))
    labels = torch.from_numpy(predictions["test"].labels)
    top, label = p.max(-1)
    both = torch.cat([top, outside.max(-1).values])
    inside = (torch.arange(len(both)) < len(top)).int()
    of_inside = [{"ood-auroc": BinaryAUROC(), "ood-aupr-in": BinaryAveragePrecision()}, {"ood-fpr95": FPR95(1)}]
    return (
        _collected(_of_probabilities(p.shape[1]), p, labels)
        | {"ece-classwise": _ece_classwise_as_shipped(p, labels) if as_shipped else _ece_classwise(p, labels)}
        | _collected([{"auroc": BinaryAUROC()}], top, (label == labels).int())
        | _collected(of_inside, both, inside)
        | _collected([{"ood-aupr-out": BinaryAveragePrecision()}], 1 - both, 1 - inside)
    )


def _of_probabilities(n_classes: int) -> list[dict]:
    """Return the metrics of a labelled split, grouped by what they share, as its own routine groups them."""
    from torch_uncertainty.metrics import classification as tu
    from torchmetrics.classification import MulticlassAccuracy

    options = {"task": "multiclass", "num_classes": n_classes, "num_bins": BINS}
    calibration = {
        "ece": tu.CalibrationError(**options),
        "mce": tu.CalibrationError(**options, norm="max"),
        "ece-adaptive": tu.AdaptiveCalibrationError(**options),
    }
    coverages = {
        f"coverage-at-sac-{percent:g}": tu.CovAtxRisk((100 - percent) / 100)
        for percent in SETTINGS.selective_accuracies_percent
    }
    risks = {f"risk-at-coverage-{percent:g}": tu.RiskAtxCov(percent / 100) for percent in SETTINGS.coverages_percent}
    return [
        {"accuracy": MulticlassAccuracy(n_classes, average="micro")},
        {"aurc": tu.AURC(), "augrc": tu.AUGRC()} | coverages | risks,
        calibration,
        {"nll": tu.CategoricalNLL()},
        {"brier": tu.BrierScore(n_classes)},
    ]


def _ece_classwise_as_shipped(p, labels) -> float:
    from torch_uncertainty.metrics.classification import ClasswiseCalibrationError

    metric = ClasswiseCalibrationError(p.shape[1], BINS)
    metric.update(p, labels)
    return metric.compute().item()


def _ece_classwise(p, labels) -> float:
    from torchmetrics.functional.classification import binary_calibration_error

    errors = [binary_calibration_error(p[:, k], (labels == k).int(), BINS) for k in range(p.shape[1])]
    return (sum(errors) / len(errors)).item()


def _collected(groups: list[dict], *inputs) -> Numbers:
    """Return the values of torchmetrics' metrics; those of a group store their inputs once."""
    from torchmetrics import MetricCollection

    point = "_"  # what stands for the point of 99.5, which a module's name cannot have
    groups = [{name.replace(".", point): kind for name, kind in group.items()} for group in groups]
    kinds = {name: kind for group in groups for name, kind in group.items()}
    collection = MetricCollection(kinds, compute_groups=[list(group) for group in groups])
    collection.update(*inputs)
    return {name.replace(point, "."): value.item() for name, value in collection.compute().items()}


# ---- from float64 probabilities ----


def torchmetrics(given: Probabilities) -> Numbers:
    """Return its numbers; what is not here, such as AURC or NLL, it does not have."""
    import torch
    from torchmetrics.functional import classification as tm

    p, labels, both = (torch.from_numpy(values) for values in (given.p, given.labels, given.both))
    inside, correct = (torch.from_numpy(values.astype(int)) for values in (given.inside, given.correct))
    n_classes = p.shape[1]
    found = {
        "accuracy": tm.multiclass_accuracy(p, labels, n_classes, average="micro"),
        "auroc": tm.binary_auroc(p.max(-1).values, correct),
        "ece": tm.multiclass_calibration_error(p, labels, n_classes, BINS, norm="l1"),
        "mce": tm.multiclass_calibration_error(p, labels, n_classes, BINS, norm="max"),
        "ood-auroc": tm.binary_auroc(both, inside),
        "ood-aupr-in": tm.binary_average_precision(both, inside),
        "ood-aupr-out": tm.binary_average_precision(1 - both, 1 - inside),
    }
    return {name: value.item() for name, value in found.items()}


def scikit_learn(given: Probabilities) -> Numbers:
    """Return its numbers; it has no calibration error of several classes and no risk-coverage curve."""
    from sklearn import metrics as sk

    classes = np.arange(given.p.shape[1])
    fpr, tpr, _ = sk.roc_curve(given.inside, given.both, drop_intermediate=False)
    return {
        "accuracy": sk.accuracy_score(given.labels, given.p.argmax(1)),
        "auroc": sk.roc_auc_score(given.correct, given.top),
        "nll": sk.log_loss(given.labels, given.p, labels=classes),
        "brier": sk.brier_score_loss(given.labels, given.p, labels=classes, scale_by_half=False),
        "ood-auroc": sk.roc_auc_score(given.inside, given.both),
        "ood-aupr-in": sk.average_precision_score(given.inside, given.both),
        "ood-aupr-out": sk.average_precision_score(~given.inside, -given.both),
        "ood-fpr95": fpr[np.argmax(tpr >= 0.95)],
    }


def netcal(given: Probabilities) -> Numbers:
    """Return its numbers; ACE, the plain mean over bins, is not of our definition unless bins have equal mass."""
    from netcal.metrics import ECE, MCE

    found = {"ece": ECE(BINS), "mce": MCE(BINS), "ece-adaptive": ECE(BINS, equal_intervals=False)}
    return {name: kind.measure(given.p, given.labels) for name, kind in found.items()}


def drawn_out(confidence: np.ndarray, correct: np.ndarray) -> Numbers:
    """Return AURC, AUROC and ECE of one resample as scikit-learn and a few lines of NumPy have them.

    Only of samples without ties and off the edges of bins: ties are left in the sort's order, and a bin is [lo, hi).
    """
    from sklearn.metrics import roc_auc_score

    n = len(confidence)
    errors = np.cumsum(~correct[np.argsort(-confidence)])
    bins = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    gaps = np.bincount(bins, correct - confidence, BINS)
    return {
        "aurc": (errors / np.arange(1, n + 1)).mean(),
        "auroc": roc_auc_score(correct, confidence),
        "ece": np.abs(gaps).sum() / n,
    }


def drawn_out_by_libraries(confidence: np.ndarray, correct: np.ndarray) -> Numbers:
    """Return AURC, AUROC and ECE of one resample as torch-uncertainty, scikit-learn and torchmetrics have them."""
    import torch
    from sklearn.metrics import roc_auc_score
    from torch_uncertainty.metrics.classification import AURC
    from torchmetrics.functional.classification import binary_calibration_error

    confidences, labels = torch.from_numpy(confidence), torch.from_numpy(correct.astype(int))
    risk = AURC()
    risk.update(
        torch.stack([confidences, torch.zeros_like(confidences)], 1), 1 - labels
    )  # it tests whether the class of more confidence is the label
    return {
        "aurc": risk.compute().item(),
        "auroc": roc_auc_score(correct, confidence),
        "ece": binary_calibration_error(confidences, labels, BINS).item(),
    }


PEERS: dict[str, Callable[[Predicted], Numbers]] = {
    "torch-uncertainty": torch_uncertainty,
    "torchmetrics": lambda predictions: torchmetrics(Probabilities(predictions)),
    "scikit-learn": lambda predictions: scikit_learn(Probabilities(predictions)),
    "netcal": lambda predictions: netcal(Probabilities(predictions)),
}

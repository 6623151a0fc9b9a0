import pandas as pd

from selfdoubt.report.arms import Arms
from selfdoubt.report.by_metric import sentences_by_metric

NAMES = Arms({"kd": "KD", "ce": "Cross-entropy"})
NUMBERS = {"accuracy": (0.01, 0.002), "aurc": (-0.004, 0.001), "nll": (0.02, 0.01), "auroc": (0.001, 0.01)}


def row(metric, dataset="clothes", better="kd", **changes):
    difference, half = NUMBERS[metric]
    return {
        "dataset": dataset,
        "study": "distillation",
        "better": better,
        "than": "ce",
        "metric": metric,
        "score": "none" if metric == "accuracy" else "msp",
        "split": "test",
        "difference": difference,
        "low": difference - half,
        "high": difference + half,
        "accuracy_part": None,
        "repeats": False,
    } | changes


def sentences(*rows):
    return [": ".join(each) for each in sentences_by_metric(pd.DataFrame(rows), "distillation", "ce", NAMES)]


def test_metrics_that_are_better_worse_and_open_of_one_data_set():
    assert sentences(*map(row, NUMBERS)) == ["KD: higher accuracy, lower AURC; higher NLL; open: AUROC."]


def test_several_data_sets_are_together_where_they_agree():
    reverse = row("aurc", "scenes", difference=0.004, low=0.003, high=0.005)
    rows = [row("accuracy"), row("accuracy", "scenes"), row("aurc"), reverse, row("auroc"), row("auroc", "scenes")]
    assert sentences(*rows) == [
        "KD: higher accuracy on each of 2 data sets; lower AURC on clothes, higher AURC on scenes; "
        "open on each data set: AUROC."
    ]


def test_share_of_accuracy_is_named_where_augrc_differs():
    augrc = row("aurc") | {
        "metric": "augrc",
        "difference": -0.01,
        "low": -0.02,
        "high": -0.005,
        "accuracy_part": -0.006,
    }
    assert sentences(row("accuracy"), augrc) == [
        "KD: higher accuracy, lower AUGRC. Of the difference in AUGRC 60\u00a0% come from accuracy."
    ]
    assert sentences(row("accuracy"), augrc | {"high": 0.001}) == ["KD: higher accuracy; open: AUGRC."]


def test_what_is_left_out():
    others = [
        row("aurc", than="label-smoothing"),
        row("aurc", split="val"),
        row("aurc", score="pnorm"),
        row("aurc", repeats=True),
        row("aurc", study="mask-cutmix"),
        row("aurc", difference=None, low=None, high=None),
    ]
    assert sentences(row("accuracy"), *others) == []  # one metric is no reading
    assert sentences(row("accuracy"), row("auroc"), *others) == ["KD: higher accuracy; open: AUROC."]

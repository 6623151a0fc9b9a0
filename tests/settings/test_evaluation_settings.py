"""Mixed splits and guarantees of `evaluation`: what the config may say of them."""

import pytest
from wrong_configs import fault, faults, put

from selfdoubt.settings.study import load_study


def test_mixed_splits_are_those_of_the_percentages_and_of_failure_metrics(config):
    hypothesis = config["hypotheses"]["kd-ranks-better"] | {"score": "msp"}
    put(config, "evaluation.ood_mixed_percent", [50, 12.5])
    for metric, split, wrong in (
        ("failure-aurc", "ood-digits@50", None),
        ("failure-auroc", "ood-digits@12.5", None),
        ("failure-aurc", "ood-digits", None),
        ("failure-aurc", "ood-digits@20", "'ood-digits@20' is not a split of any data set"),
        ("failure-aurc", "test", "needs an ood- split"),
        ("ood-auroc", "ood-digits@50", "needs an ood- split, not a mixed one"),
        ("aurc", "ood-digits@50", "needs a labelled split"),
    ):
        put(config, "hypotheses.kd-ranks-better", {**hypothesis, "metric": metric, "split": split})
        if wrong is None:
            load_study(config)
        else:
            assert wrong in fault(config)


@pytest.mark.parametrize(
    ("split", "remedy"),
    [
        ("ood-digits", "add digits to datasets.fashion-mnist-12k.ood"),
        ("ood-cats", "add cats to datasets.fashion-mnist-12k.ood (an entry of ood_sets"),
        ("ood-digits@10", "add 10 to evaluation.ood_mixed_percent and digits to datasets.fashion-mnist-12k.ood"),
        ("shifted-again", "add again to datasets.fashion-mnist-12k.shifted"),
        ("contrast-3", "set datasets.fashion-mnist-12k.corruptions"),
        ("corrupted-mean", "set datasets.fashion-mnist-12k.corruptions"),
    ],
)
def test_a_split_that_a_study_of_another_data_set_lacks_has_two_remedies(config, split, remedy):
    data = next(iter(config["datasets"].values()))
    data |= {"ood": [], "corruptions": None}
    config |= {"hypotheses": {}, "manipulation_checks": {}, "comparisons": []}
    config["figures"] = {"reliability": config["figures"]["reliability"]}
    named = {"metric": "accuracy", "score": "none", "split": split}
    claim = named | {"study": "distillation", "statement": "So.", "better": "kd", "than": "ce"}
    entries = {"hypotheses": {"one": claim}, "manipulation_checks": {"one": claim}, "comparisons": [named]}
    entries |= {"figures": {"one": config["figures"]["reliability"] | {"split": split}}}
    entries |= {"evaluation": config["evaluation"] | {"resampled_splits": [split]}}
    for place, entry in entries.items():
        message = faults(config | {place: entry})[0]
        without = "without it" if place in ("comparisons", "evaluation") else f"set {place}.one to null"
        assert message.startswith(f"config: {place}.") and remedy in message and message.endswith(without)


def test_a_guarantee_given_twice_is_refused(config):
    guarantees = {"scores": ["msp"], "target_risks": [0.1], "delta": 0.05, "n_resplits": 9, "alphas": [0.1]}
    guarantees |= {"raps_penalty": 0.1, "raps_free_classes": 2}
    put(config, "evaluation.guarantees", guarantees)
    assert load_study(config).evaluation.guarantees.delta == 0.05
    put(config, "evaluation.guarantees.alphas", [0.1, 0.10])
    assert "evaluation.guarantees.alphas: 0.1 is given twice" in fault(config)

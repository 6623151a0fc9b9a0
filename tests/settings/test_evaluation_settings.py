"""Mixed splits and guarantees of `evaluation`: what the config may say of them."""

from wrong_configs import fault, put

from selfdoubt.settings.study import load_study


def test_mixed_splits_are_those_of_the_percentages_and_of_failure_metrics(config):
    hypothesis = config["hypotheses"]["kd-ranks-better"] | {"score": "msp"}
    put(config, "evaluation.ood_mixed_percent", [50, 12.5])
    for metric, split, wrong in (
        ("failure-aurc", "ood-digits@50", None),
        ("failure-auroc", "ood-digits@12.5", None),
        ("failure-aurc", "ood-digits", None),
        ("failure-aurc", "ood-digits@20", "'ood-digits@20' is not a split"),
        ("failure-aurc", "test", "needs an ood- split"),
        ("ood-auroc", "ood-digits@50", "needs an ood- split, not a mixed one"),
        ("aurc", "ood-digits@50", "needs a labelled split"),
    ):
        put(config, "hypotheses.kd-ranks-better", {**hypothesis, "metric": metric, "split": split})
        if wrong is None:
            load_study(config)
        else:
            assert wrong in fault(config)


def test_a_guarantee_given_twice_is_refused(config):
    guarantees = {"scores": ["msp"], "target_risks": [0.1], "delta": 0.05, "n_resplits": 9, "alphas": [0.1]}
    guarantees |= {"raps_penalty": 0.1, "raps_free_classes": 2}
    put(config, "evaluation.guarantees", guarantees)
    assert load_study(config).evaluation.guarantees.delta == 0.05
    put(config, "evaluation.guarantees.alphas", [0.1, 0.10])
    assert "evaluation.guarantees.alphas: 0.1 is given twice" in fault(config)

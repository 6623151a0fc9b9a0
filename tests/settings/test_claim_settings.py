"""What is checked of claims, of their scores and of the arms that figures show."""

import pytest
from wrong_configs import fault

from selfdoubt.settings.study import load_study

KD = "hypotheses.kd-ranks-better"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"better": ["kd", "kd-no-labels"], "than": ["ce"], "units": "networks"},
            f"{KD}.than: 1 arms, but better has 2",
        ),
        ({"than": ["ce", "kd"]}, f"{KD}.than: 'kd' is also what is to be better"),
        ({"than": ["ce", "ec"]}, f"{KD}.than: 'ec' is not a model or a group"),
        ({"on_at_least": 2}, f"{KD}.on_at_least: 2, but there is 1 data set"),
        ({"datasets": ["mnist"]}, f"{KD}.datasets: 'mnist' is not a data set"),
        ({"no_loss": [{"metric": "accuracy", "score": "msp"}]}, f"{KD}.no_loss.0.score: accuracy does not take 'msp'"),
        ({"margin": -1}, f"{KD}.margin"),
    ],
)
def test_claims_that_do_not_fit_together_are_refused(config, change, expected):
    config["hypotheses"]["kd-ranks-better"] |= change
    assert f"config: {expected}" in fault(config)


def test_a_study_has_one_primary_claim(config):
    config["hypotheses"]["kd-ranks-better"]["primary"] = True
    config["hypotheses"]["again"] = dict(config["hypotheses"]["kd-ranks-better"])
    assert "hypotheses.again.primary: the study 'distillation' has another" in fault(config)


def test_manipulation_checks_are_checked_like_hypotheses(config):
    check = {**config["hypotheses"]["kd-ranks-better"], "better": "no-model"}
    config["manipulation_checks"] = {"known": check}
    assert "config: manipulation_checks.known.better: 'no-model'" in fault(config)


def test_a_claim_by_msp_is_repeated_by_those_other_scores_that_are_evaluated(config):
    study = load_study(config)
    claim = study.hypotheses["kd-ranks-better"]
    assert study.repeated_by(claim) == ["msp-ts", "pnorm"]
    assert study.repeated_by(claim.model_copy(update={"metric": "nll"})) == ["msp-ts"]
    assert study.repeated_by(claim.model_copy(update={"score": "margin"})) == []


def test_an_arm_twice_in_a_figure_is_refused(config):
    config["figures"]["risk-coverage"]["arms"] *= 2
    assert "figures.risk-coverage.arms: ce is given twice" in fault(config)

"""Claims about gains in the config: what they may name, and that they are registered with what they need."""

import pytest
from wrong_configs import check_message, fault

from selfdoubt.settings import decisions
from selfdoubt.settings.registered import differences
from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import load_study

CLAIM = {"study": "communication", "statement": "Messages inform.", "protocol": "trio/persuasion"}
TEST = {"penalty": [0.1], "n_folds": 2, "margin": 0.02}


@pytest.fixture
def informed(config):
    config["evaluation"]["information"] = TEST
    return config


def test_a_registration_holds_it_with_the_test_and_the_group(informed):
    before = registration(load_study(informed))
    assert "information_claims" not in before and "information" not in before
    informed["information_claims"] = {"informed": CLAIM}
    found = registration(load_study(informed))
    assert found["information_claims"]["informed"]["protocol"] == "trio/persuasion"
    assert found["information"] == TEST and "trio" in found["groups"] and "persuasion" in found["protocols"]
    assert {"information_claims", "information"} <= {*differences(before, found)}
    informed["evaluation"]["information"] = TEST | {"margin": 0.01}
    assert differences(found, registration(load_study(informed))) == ["information.margin"]


def test_the_margin_is_that_of_the_test_unless_the_claim_has_one(informed):
    informed["information_claims"] = {"a": CLAIM, "b": CLAIM | {"margin": 0.5}}
    claims = decisions.decision_settings(load_study(informed))["claims"]
    assert {each["name"]: each["margin"] for each in claims if each["metric"] == "contested-nll"} == {
        "a": 0.02, "b": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"protocol": "trio/persuasions"}, "information_claims.informed.protocol: 'trio/persuasions'"),
        ({"protocol": "trio/mean-probability"}, "information_claims.informed.protocol: 'trio/mean-probability'"),
        ({"study": "nothing"}, "information_claims.informed.study: 'nothing'"),
        ({"datasets": ["nothing"]}, "information_claims.informed.datasets: 'nothing'"),
        ({"on_at_least": 4}, "information_claims.informed.on_at_least: 4"),
        ({"margin": 0}, "information_claims.informed.margin: 0"),
    ],
)
def test_what_it_names_must_be_there(informed, changes, expected):
    informed["information_claims"] = {"informed": CLAIM | changes}
    check_message(fault(informed), expected)


def test_the_test_must_be_asked_for_and_the_name_its_own(informed):
    informed["information_claims"] = {"kd-ranks-better": CLAIM}
    check_message(fault(informed), "information_claims.kd-ranks-better:")
    informed["information_claims"] = {"informed": CLAIM}
    informed["evaluation"]["information"] = None
    check_message(fault(informed), "information_claims.informed: evaluation.information is null")


def test_one_whose_group_is_left_out_is_named_as_not_evaluated(informed):
    informed["information_claims"] = {"informed": CLAIM}
    informed["left_out"], informed["figures"] = {"trio/persuasion": "it failed."}, {}
    study = load_study(informed)
    assert not study.information_claims
    assert "informed is not evaluated: it names an arm that is left out." in study.notes_of_left_out["communication"]

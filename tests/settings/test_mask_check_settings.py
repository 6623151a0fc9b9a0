"""Checks of masks in the config: what they may name, and that they are registered with what they need."""

import pytest
from wrong_configs import check_message, fault

from selfdoubt.settings import decisions
from selfdoubt.settings.registered import differences
from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import load_study

CHECK = {"study": "mask-cutmix", "statement": "Masks beat a box.", "segmenter": "unet"}


def test_a_registration_holds_it_with_its_segmenter_and_that_ones_teacher(config):
    config["hypotheses"], config["figures"], config["manipulation_checks"] = {}, {}, {}
    config["studies"] = {"mask-cutmix": config["studies"]["mask-cutmix"] | {"reference": "ce", "arms": ["cutmix"]}}
    before = registration(load_study(config))
    assert "mask_checks" not in before
    config["mask_checks"] = {"masks": CHECK}
    found = registration(load_study(config))
    assert found["mask_checks"]["masks"]["segmenter"] == "unet" and "unet" in found["segmenters"]
    assert config["segmenters"]["unet"]["teacher"] in found["models"]
    assert "mask_checks" in differences(before, found)
    config["mask_checks"]["masks"] = CHECK | {"registered": False}
    known = load_study(config)
    [each] = decisions.mask_checks(known)
    assert (
        decisions.mask_check_settings(known, *each)["registered"] is False
        and differences(found, registration(known)) == []
    )


def test_what_masks_are_compared_with_is_registered_but_for_the_box(config):
    config["mask_checks"] = {"box": CHECK | {"than": "centred-box"}, "maps": CHECK | {"than": "pseudo-masks"}}
    study = load_study(config)
    found = [decisions.mask_check_settings(study, *each) for each in decisions.mask_checks(study)]
    assert [each["pairs"] for each in found] == [[["unet", "centred-box"]], [["unet", "pseudo-masks"]]]
    registered = registration(study)["mask_checks"]
    assert "than" not in registered["box"] and registered["maps"]["than"] == "pseudo-masks"
    config["mask_checks"]["box"].pop("than")
    assert registration(load_study(config))["mask_checks"]["box"] == registered["box"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"than": "another"}, "mask_checks.masks.than: 'another'"),
        ({"segmenter": "unett"}, "mask_checks.masks.segmenter: 'unett'"),
        ({"study": "nothing"}, "mask_checks.masks.study: 'nothing'"),
        ({"datasets": ["nothing"]}, "mask_checks.masks.datasets: 'nothing'"),
        ({"margin": 0}, "mask_checks.masks.margin: 0"),
    ],
)
def test_what_it_names_must_be_there(config, changes, expected):
    config["mask_checks"] = {"masks": CHECK | changes}
    check_message(fault(config), expected)


def test_the_true_masks_must_be_known_and_the_name_its_own(config):
    config["mask_checks"] = {"kd-ranks-better": CHECK}
    check_message(fault(config), "mask_checks.kd-ranks-better:")
    config["mask_checks"] = {"masks": CHECK}
    config["figures"] = {}
    assert [each[2] for each in decisions.mask_checks(load_study(config))] == ["fashion-mnist-12k"]
    config["datasets"]["fashion-mnist-12k"]["mask_truth"] = "none"
    assert not decisions.mask_checks(load_study(config))
    config["mask_checks"]["masks"] = CHECK | {"datasets": ["fashion-mnist-12k"]}
    check_message(fault(config), "mask_checks.masks: 'fashion-mnist-12k'")

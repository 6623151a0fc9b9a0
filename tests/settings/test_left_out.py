"""Arms that are left out, and all that needs them."""

import pytest
from wrong_configs import fault

from selfdoubt.settings.registered import differences
from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import load_study


def without(config: dict, **reasons: str):
    return load_study(config | {"left_out": {name.replace("_", "-"): why for name, why in reasons.items()}})


def test_a_left_out_student_takes_its_claims_groups_and_places_in_figures_with_it(config):
    whole = load_study(config)
    study = without(config, kd="its loss is not finite")
    assert "kd" in whole.models and "kd" not in study.models and "trio" not in study.groups
    assert study.studies["distillation"].arms == ["kd-no-labels", "label-smoothing"]
    assert "kd-ranks-better" not in study.hypotheses and "odin-beats-placebo" in study.hypotheses
    assert study.figures["risk-coverage"].arms == ["ce", "teacher", "label-smoothing", "kd-no-labels"]
    assert "auroc-accuracy" in study.figures  # of all arms that there are
    assert "persuasion-matrix" not in study.figures and "communication" not in study.studies
    assert study.notes_of_left_out["distillation"] == [
        "kd is left out: its loss is not finite.",
        "kd-ranks-better is not evaluated: it names an arm that is left out.",
    ]
    [of_study] = study.notes_of_left_out[""]
    assert of_study.startswith("The study communication is left out. trio/mean-probability is left out: it needs kd.")
    assert whole.notes_of_left_out == {}


def test_what_learns_from_a_left_out_model_is_left_out_with_it(config):
    study = without(config, teacher="no memory")
    assert {*study.models} == {"ce", "label-smoothing", "cutmix"}  # neither students nor the segmenter's
    assert study.segmenters == {} and "mask-gallery" not in study.figures
    assert set(study.hypotheses) == {"odin-beats-placebo"}


def test_the_check_of_a_segmenter_that_is_left_out_is_said_to_be_missing(config):
    config["mask_checks"] = {
        "masks": {"study": "distillation", "statement": "Masks beat a box.", "segmenter": "unet"},
    }
    config["segmenters"]["unet"]["teacher"] = "label-smoothing"
    study = without(config, **{"label-smoothing": "failed"})
    assert study.mask_checks == {}
    assert study.notes_of_left_out["distillation"] == [
        "label-smoothing is left out: failed.",
        "masks is not evaluated: it names an arm that is left out.",
    ]


def test_one_variant_is_left_out_alone(config):
    study = load_study(config | {"left_out": {"ce/odin": "too slow", "trio/persuasion": "failed"}})
    assert "odin" not in study.enhancers and "ce" in study.models
    assert "persuasion" not in study.groups["trio"].protocols and "mean-logit" in study.groups["trio"].protocols
    assert study.studies["enhancers"].arms == ["ce/anti-adversary", "ce/random-sign"]
    assert not {"ce/odin", "trio/persuasion"} & {*study.arms()}


def test_a_study_whose_reference_is_left_out_is_left_out(config):
    study = without(config, cutmix="failed")
    assert "mask-cutmix" not in study.studies and "risk-coverage-cutmix" not in study.figures
    assert any(
        "The study mask-cutmix is left out. cutmix is left out: failed." in text for text in study.notes_of_left_out[""]
    )


@pytest.mark.parametrize("name", ["kdd", "ce/odinn", "trio/gone"])
def test_what_is_left_out_must_be_there(config, name):
    assert fault(config | {"left_out": {name: "failed"}}).startswith(f"config: left_out.{name}: '{name}' is not an arm")


def test_a_registration_shows_what_was_left_out(config):
    registered = registration(load_study(config))
    found = differences(registered, registration(without(config, kd="failed")))
    assert "models.kd" in found and "hypotheses.kd-ranks-better" in found

"""Sequential studies: how many replicates each model needs at a look, and at which level claims are tested."""

import pytest
from wrong_configs import fault

from selfdoubt.settings.looks import NOMINAL, next_looks
from selfdoubt.settings.study import load_study


@pytest.fixture
def sequential(config):
    config["replicates"] = {"from": 11, "looks": [10, 20, 30]}
    config["segmenters"]["unet"]["teacher_replicate"] = 11
    config["figures"]["enhancement-examples"]["replicate"] = 11
    return config


def test_at_first_every_model_has_the_replicates_of_the_first_look(sequential):
    study = load_study(sequential)
    assert study.replicates == list(range(11, 41)) and study.present == list(range(11, 21))
    assert study.replicates_of("kd") == study.replicates_of("teacher") == study.present


def test_further_looks_train_what_the_undecided_study_names_and_nothing_else(sequential):
    study = load_study(sequential | {"look": {"distillation": 3}})
    assert len(study.replicates_of("kd")) == len(study.present) == 30
    assert len(study.replicates_of("ce")) == 30  # it is the reference
    assert len(study.replicates_of("cutmix")) == len(study.replicates_of("trio")) == 10
    assert len(study.replicates_at("distillation")) == 30 and len(study.replicates_at("communication")) == 10
    assert study.replicate_of("teacher", 40) == 40  # of which the student of replicate 40 learns


def test_further_looks_train_what_a_claim_about_gains_needs(sequential):
    claim = {"study": "distillation", "statement": "Messages inform.", "protocol": "trio/persuasion"}
    sequential["evaluation"]["information"] = {"penalty": [0.1], "n_folds": 2, "margin": 0.02}
    sequential |= {"information_claims": {"informed": claim}, "look": {"distillation": 2}}
    assert len(load_study(sequential).replicates_of("trio")) == 20


def test_each_look_has_a_part_of_the_level(sequential, config):
    assert load_study(sequential).level("distillation") == pytest.approx(0.05 * NOMINAL[3])
    config["replicates"] = 5
    config["segmenters"]["unet"]["teacher_replicate"] = 1
    config["figures"]["enhancement-examples"]["replicate"] = 1
    config["studies"]["distillation"]["rounds"] = 3
    assert load_study(config).level("distillation") == pytest.approx(0.05 / 3)


def test_undecided_studies_go_one_look_farther_until_the_last(sequential):
    study = load_study(sequential)
    assert next_looks(study, {"distillation"}) == {"distillation": 2}
    study = load_study(sequential | {"look": {"distillation": 3, "enhancers": 2}})
    assert next_looks(study, {"distillation", "enhancers"}) == {"distillation": 3, "enhancers": 3}
    assert next_looks(study, set()) == study.look


@pytest.mark.parametrize("looks", [[5, 10], [20, 10], [10, 10], [10, 20, 30, 40, 50], [10, 30, 90]])
def test_looks_that_cannot_be_are_refused(sequential, looks):
    sequential["replicates"]["looks"] = looks
    assert "config: replicates.looks" in fault(sequential)


def test_a_look_that_there_is_not_is_refused(sequential):
    assert "config: look.distillation: 4" in fault(sequential | {"look": {"distillation": 4}})
    assert "config: look.nothing: 1" in fault(sequential | {"look": {"nothing": 1}})

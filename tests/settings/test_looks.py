"""Sequential studies: how many replicates each model needs at a look, and at which level claims are tested."""

from statistics import NormalDist

import numpy as np
import pytest
from wrong_configs import fault

from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.settings.looks import next_looks
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


@pytest.mark.parametrize(
    ("looks", "level"),
    [([20], 0.05), ([10, 20], 0.05 * 0.5), ([10, 20, 30], 0.05 * 0.375), ([10, 20, 30, 40], 0.05 * 0.31)],
)
def test_each_look_has_a_part_of_the_level(sequential, looks, level):
    """Of .05, by the simulations in docs/decisions/0019."""
    sequential["replicates"]["looks"] = looks
    assert load_study(sequential).level("distillation") == pytest.approx(level)


def false_findings(level: float, looks: list[int]) -> float:
    """The fraction of 10,000 studies of a true 0, images in common, in which some look finds a difference."""
    draws, shared, n_studies = np.random.default_rng(0), 0.1, 10_000
    differences = draws.normal(size=(n_studies, looks[-1])) + shared * draws.normal(size=(n_studies, 1))
    found = np.zeros(n_studies, bool)
    for n in looks:
        seen = differences[:, :n]
        t = abs(seen.mean(1)) / (seen.std(1, ddof=1) / n**0.5)
        # The quantile of t is above the normal one, and images add to the error: no other study can find anything.
        for i in np.flatnonzero(t > NormalDist().inv_cdf(1 - level / 2)):
            found[i] |= Contrast(tuple(seen[i]), 2 * shared**2, shared**2, 1500).p < level
    return found.mean()


def test_three_looks_at_that_level_find_what_is_not_there_in_at_most_a_twentieth(sequential):
    looks = [10, 20, 30]
    assert 0.02 < false_findings(load_study(sequential).level("distillation"), looks) <= 0.05
    assert false_findings(0.05, looks) > 0.08  # at the whole level each time


def test_the_level_of_a_look_is_part_of_that_of_the_round(config):
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

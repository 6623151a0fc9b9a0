"""Techniques of baselines: what combines, what does not, and what becomes of the settings of others."""

import pytest
from wrong_configs import check_message, fault, faults, put

from selfdoubt.settings.study import load_study

SAM = {"method": "sam", "rho": 0.05}
SWA = {"method": "swa", "start_fraction": 0.5, "factor": 0.5}
REGMIXUP = {"method": "regmixup", "alpha": 10, "eta": 1}
CRL = {"method": "crl", "weight": 1}
SELF = {"method": "self-distillation", "decay": 0.99, "temperature": 2, "alpha": 0.5}
MOVED = {"method": "adversarial", "epsilon_255": 8, "signs": "random"}
TARGETS = {"probability": 0.9, "temperature": 4, "alpha": 0.9}


def with_techniques(config: dict, *techniques: dict, **recipe) -> dict:
    config["recipes"]["own"] = config["recipes"]["short"] | recipe
    config["baselines"]["ce"] |= {"techniques": list(techniques), "recipe": "own"}
    return config


def test_the_order_of_techniques_means_nothing(config):
    one, other = (
        load_study(with_techniques(config, *given)).model_settings("ce") for given in ((SAM, SWA, CRL), (CRL, SWA, SAM))
    )
    assert one == other and [each["method"] for each in one["techniques"]] == ["crl", "sam", "swa"]


def test_models_without_techniques_have_the_settings_that_they_had(config):
    study = load_study(with_techniques(config, SAM))
    assert "techniques" in study.model_settings("ce")
    assert not any("techniques" in study.model_settings(name) for name in study.models if name != "ce")
    assert study.modules_of_model("ce") == ("models.families.convnet", "training.techniques.sam")


@pytest.mark.parametrize(
    ("techniques", "changes", "message"),
    [
        ([SAM, SAM], {}, "baselines.ce.techniques: "),
        ([SWA | {"start_fraction": 0.99}], {"epochs": 10}, "baselines.ce.techniques: 0 10"),
        ([SWA | {"cycle_epochs": 2}], {"epochs": 10}, "baselines.ce.techniques: 5 10 2"),
        ([SWA], {"ema_decay": 0.9}, "baselines.ce.techniques: "),
        ([MOVED], {"ema_decay": 0.9}, "baselines.ce.techniques: "),
        ([REGMIXUP], {"gpu": 2}, "baselines.ce.techniques: 2 1"),
        ([CRL, SAM], {"gpu": 2}, "baselines.ce.techniques: 2 1"),
        ([SELF, {"method": "logit-norm", "temperature": 0.04}], {}, "baselines.ce.techniques: "),
    ],
)
def test_what_cannot_be_combined_is_refused(config, techniques, changes, message):
    check_message(fault(with_techniques(config, *techniques, **changes)), message)


@pytest.mark.parametrize(
    ("technique", "key"),
    [({"epsilon_255": 8, "n_steps": 2}, "step_255"), ({"epsilon_255": 8, "signs": "random", "n_steps": 1}, "n_steps")],
)
def test_adversarial_images_need_steps_along_gradients_alone(config, technique, key):
    message = fault(with_techniques(config, {"method": "adversarial", **technique}))
    check_message(message, f"baselines.ce.techniques.0: {key}")


def test_mixed_images_have_no_virtual_teacher(config):
    config = with_techniques(config, REGMIXUP)
    check_message(fault(put(config, "baselines.ce.virtual_teacher", TARGETS)), "baselines.ce.techniques: ")
    del config["baselines"]["ce"]["virtual_teacher"]
    soft = faults(put(config, "baselines.ce.labels", "soft"))
    assert any("baselines.ce.techniques: regmixup, but labels: soft are not mixed" in line for line in soft)
    del config["baselines"]["ce"]["labels"]
    load_study(with_techniques(config, SAM, SWA, CRL))


@pytest.mark.parametrize("recipe", [{"gpu": 2}, {"precision": "bfloat16"}, {"max_gradient_norm": 1.0}])
def test_the_worst_weights_and_averages_go_with_any_recipe(config, recipe):
    load_study(with_techniques(config, SAM, SWA, {"method": "logit-norm", "temperature": 0.04}, **recipe))
    load_study(with_techniques(config, SAM, SWA, SELF, **recipe))

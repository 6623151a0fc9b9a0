"""Methods by name: the two files of each, and the modules that models name."""

import pytest

from selfdoubt.runtime import methods
from selfdoubt.settings.registry import FOLDERS
from selfdoubt.settings.study import load_study


@pytest.mark.parametrize("kind", [kind for kind in FOLDERS if methods.names_in(f"settings.{kind}")])
def test_a_method_has_settings_and_a_module_of_one_name(kind):
    assert methods.names_in(f"settings.{kind}") == methods.names_in(FOLDERS[kind])


def test_a_model_names_its_methods_and_the_families_of_all_networks_that_it_loads(config):
    config["networks"]["resnet20"] = {"family": "resnet-cifar", "depth": 20}
    config["teachers"]["deep"] = config["teachers"]["teacher"] | {"network": "resnet20"}
    config["students"]["kd"] |= {"teacher": ["deep"], "target_transform": {"method": "corrected"}}
    config["pretrained"] = {"published": {"name": "resnet50.a1_in1k"}}
    study = load_study(config)
    families = ("models.families.convnet", "models.families.resnet_cifar")
    assert study.modules_of_model("ce") == families[:1]
    assert study.modules_of_model("kd") == ("distillation.losses.kd", "distillation.targets.corrected", *families)
    assert study.modules_of_model("cutmix") == ("mixing.methods.cutmix", "mixing.mixer", *families[:1])
    assert study.modules_of_model("published") == ("models.families.timm",)
    assert study.families_of("ce", "deep", "kd") == families

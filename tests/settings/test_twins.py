"""Twins: which models an entry stands for, who may name them, and what their jobs know of it."""

import pytest
from wrong_configs import check_message, fault, faults, put

from selfdoubt.settings.study import load_study

CE_TWINS = {"twins_of": "ce", "n": 3}


def test_an_entry_stands_for_models_of_equal_settings(config):
    study = load_study(put(config, "baselines.again", CE_TWINS))
    assert [*study.baselines] == ["ce", "label-smoothing", "again-1", "again-2", "again-3"]
    assert study.model_settings("again-2") == study.model_settings("ce") | {"twin": 2}
    assert "twin" not in study.model_settings("ce") and study.role("again-3") == "baseline"


@pytest.mark.parametrize("section", ["teachers", "baselines", "students", "augmented"])
def test_every_kind_of_trained_model_may_have_twins(config, section):
    name = next(iter(config[section]))
    study = load_study(put(config, f"{section}.again", {"twins_of": name, "n": "2"}))
    assert study.model_settings("again-1") == study.model_settings(name) | {"twin": 1}
    assert study.modules_of_model("again-1") == study.modules_of_model(name)


def test_groups_and_students_may_name_all_twins_at_once(config):
    config["baselines"]["again"] = {"twins_of": "ce", "n": 2}
    config["groups"]["trio"]["members"] = ["ce", "again", "kd"]
    config["students"]["kd"]["teacher"] = ["teacher", "again"]
    study = load_study(config)
    assert study.groups["trio"].members == ["ce", "again-1", "again-2", "kd"]
    assert study.students["kd"].teacher == ["again-1", "again-2", "teacher"]
    config["groups"]["trio"]["members"] = ["again"]
    assert load_study(config).groups["trio"].members == ["again-1", "again-2"]
    config["baselines"]["again"]["n"] = 1
    assert "groups.trio.members" in fault(config) and "2 or more" in fault(config)


def test_a_chain_of_born_again_students(config):
    config["baselines"]["again"] = {"twins_of": "ce", "n": 1}
    config["students"]["born"] = {**config["students"]["kd"], "teacher": "again-1"}
    config["students"]["born-twin"] = {"twins_of": "born", "n": 2}
    config["students"]["second"] = {**config["students"]["kd"], "teacher": "born-twin"}
    study = load_study(config)
    assert study.students["born-twin-2"].teacher == ["again-1"]
    assert study.students["second"].teacher == ["born-twin-1", "born-twin-2"]
    config["students"]["born"]["teacher"] = "second"
    assert all("circular" in line for line in faults(config))


def test_a_label_is_numbered(config):
    study = load_study(put(config, "baselines.again", CE_TWINS | {"label": "CE"}))
    assert [study.label(name) for name in ("again-1", "again-2", "ce")] == ["CE 1", "CE 2", "ce"]


def test_twins_of_one_number_share_views_and_others_do_not(config):
    for name in ("kd", "kd-no-labels"):
        config["students"][f"{name}-twins"] = {"twins_of": name, "n": 2}
    study = load_study(config)
    assert study.views("kd-twins-1") == study.views("kd") | {"twin": 1} == study.views("kd-no-labels-twins-1")
    assert study.stores_soft_labels("kd-twins-2") and study.stores_soft_labels("kd")
    del config["students"]["kd-no-labels-twins"]
    study = load_study(config)
    assert study.stores_soft_labels("kd") and not study.stores_soft_labels("kd-twins-2")  # no other sees its views


@pytest.mark.parametrize(
    ("place", "entry", "expected"),
    [
        ("baselines.again", {"twins_of": "c", "n": 2}, "baselines.again.twins_of: 'c' 'ce'"),
        ("baselines.again", {"twins_of": "kd", "n": 2}, "baselines.again.twins_of: 'kd'"),
        ("baselines.again", {"twins_of": "ce", "n": 0}, "baselines.again.n: 1 0"),
        ("baselines.again", {"twins_of": "ce"}, "baselines.again.n:"),
        ("baselines.again", CE_TWINS | {"recipe": "short"}, "baselines.again.recipe:"),
        ("baselines.label", {"twins_of": "ce", "n": 1}, None),
        ("baselines.ce.twin", 1, "baselines.ce.twin:"),
        ("baselines.ce.n", 1, "baselines.ce.n:"),
        ("students.ce", {"twins_of": "kd", "n": 1}, "students.ce: "),
    ],
)
def test_a_wrong_entry_is_refused(config, place, entry, expected):
    put(config, place, entry)
    if expected is None:
        load_study(config)
    else:
        check_message(fault(config), expected)


@pytest.mark.parametrize("section", ["baselines", "students", "pretrained", "groups"])
def test_no_other_entry_has_the_name_of_a_twin(config, section):
    config["baselines"]["again"] = CE_TWINS
    config["pretrained"]["old"] = {"name": "resnet18"}
    config[section]["again-2"] = next(iter(config[section].values()))
    check_message(fault(config), "baselines.again: again-2")


def test_twins_have_no_twins_and_a_model_has_them_once(config):
    config["baselines"] |= {"again": CE_TWINS, "more": {"twins_of": "again", "n": 2}}
    check_message(fault(config), "baselines.more.twins_of: 'again' 'ce'")
    config["baselines"]["more"] = {"twins_of": "ce", "n": 2}
    check_message(fault(config), "baselines.more.twins_of: 'ce' 'again'")

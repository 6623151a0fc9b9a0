"""Twins and folds: which models an entry stands for, who may name them, and what their jobs know of it."""

import pytest
from wrong_configs import check_message, fault, faults, put

from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import load_study

CE_TWINS = {"twins_of": "ce", "n": 3}
FOLDS = {"folds_of": "ce", "parts": 3}


def test_an_entry_stands_for_models_of_equal_settings(config):
    study = load_study(put(config, "baselines.again", CE_TWINS))
    assert [*study.baselines] == ["ce", "label-smoothing", "again-1", "again-2", "again-3"]
    assert study.model_settings("again-2") == study.model_settings("ce") | {"twin": 2}
    assert "twin" not in study.model_settings("ce") and study.role("again-3") == "baseline"


def test_folds_are_twins_that_each_leave_out_another_part(config):
    study = load_study(put(config, "baselines.folds", FOLDS | {"n": 6, "label": "Fold"}))
    assert [*study.baselines] == ["ce", "label-smoothing", *(f"folds-{i}" for i in range(1, 7))]
    for i, (division, part) in enumerate([(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)], start=1):
        own = {"twin": i, "fold": {"parts": 3, "division": division, "part": part}}
        assert study.model_settings(f"folds-{i}") == study.model_settings("ce") | own
    assert study.label("folds-6") == "Fold 6" and "fold" not in study.model_settings("ce")
    six = study.baselines
    del config["baselines"]["folds"]["n"]  # as many as there are parts
    three = load_study(config).baselines
    assert {name: six[name] for name in three} == three and [*three][-1] == "folds-3"


def test_a_model_may_have_twins_and_folds_of_several_numbers(config):
    config["baselines"] |= {"again": CE_TWINS, "folds": FOLDS, "more": FOLDS | {"parts": 5}}
    assert len(load_study(config).baselines) == 2 + 3 + 3 + 5


def test_folds_are_registered(config):
    config["baselines"]["folds"] = FOLDS
    config["students"]["kd"] |= {"teacher": "folds", "targets": "held-out"}
    models = registration(load_study(config))["models"]
    assert models["folds-2"]["fold"] == {"parts": 3, "division": 1, "part": 2}
    assert models["kd"]["targets"] == "held-out" and "targets" not in models["kd-no-labels"]


@pytest.mark.parametrize("section", ["teachers", "baselines", "students", "augmented"])
def test_every_kind_of_trained_model_may_have_twins(config, section):
    name = next(iter(config[section]))
    entries = {"again": {"twins_of": name, "n": "2"}, "folds": {"folds_of": name, "parts": "2"}}
    config[section] |= entries
    study = load_study(config)
    assert study.model_settings("again-1") == study.model_settings(name) | {"twin": 1}
    fold = {"parts": 2, "division": 1, "part": 1}
    assert study.model_settings("folds-1") == study.model_settings("again-1") | {"fold": fold}
    assert study.modules_of_model("again-1") == study.modules_of_model(name) == study.modules_of_model("folds-2")


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
        ("baselines.folds", FOLDS | {"n": 7}, "baselines.folds: 7 3 9"),
        ("baselines.folds", FOLDS | {"parts": 1}, "baselines.folds.parts: 2 1"),
        ("baselines.folds", {"folds_of": "ce", "n": 2}, "baselines.folds.parts:"),
        ("baselines.folds", FOLDS | {"folds_of": "kd"}, "baselines.folds.folds_of: 'kd'"),
        ("augmented.folds", FOLDS | {"folds_of": "mask-cutmix"}, "augmented.folds.folds_of: 'mask-cutmix' 'unet'"),
        ("baselines.ce.fold", {"parts": 2, "division": 1, "part": 1}, "baselines.ce.fold:"),
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
    config["baselines"]["more"] = {"folds_of": "again", "parts": 2}
    check_message(fault(config), "baselines.more.folds_of: 'again' 'ce'")
    config["baselines"] |= {"again": FOLDS, "more": FOLDS | {"n": 6}}
    check_message(fault(config), "baselines.more.folds_of: 'ce' 3 'again'")

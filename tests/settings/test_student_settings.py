"""What a student may learn from whom, and the faults of settings that are refused."""

import pytest
from wrong_configs import STYLE, check_message, fault, faults, put

from selfdoubt.settings.study import load_study


def test_a_circle_through_one_of_several_teachers_is_reported_in_full(config):
    student = config["students"]["kd"]
    config["students"] = {"a": {**student, "teacher": ["ce", "b"]}, "b": {**student, "teacher": ["teacher", "a"]}}
    messages = faults(config)
    assert messages[0].startswith("config: students.a.teacher: circular (a -> b -> a)")
    assert sum("circular" in line for line in messages) == 1


def test_a_segmenters_teacher_may_learn_from_none_that_learns_from_its_masks(config):
    config["students"]["kd"]["teacher"] = ["teacher", "mask-cutmix"]
    assert fault(put(config, "segmenters.unet.teacher", "kd")).startswith("config: segmenters.unet.teacher: circular:")


@pytest.mark.parametrize(
    "change",
    [
        {"loss": {"method": "cwtm"}},
        {"loss": {"method": "ranked", "temperature": 4, "alpha": 0.9, "weight": 1, "margin": 1}},
        {"target_transform": {"method": "entropy-shuffled", "temperature": 4}},
    ],
)
def test_what_compares_images_wants_the_whole_batch_in_one_process(config, change):
    config["recipes"]["short"]["gpu"] = 2
    load_study(config)
    config["students"]["kd"] |= change
    check_message(fault(config), "recipes.short.gpu: 2 1")
    config["recipes"]["short"]["gpu"] = 1
    load_study(config)


def test_a_metric_may_be_drawn_along_a_setting_of_students_losses(config):
    along = {
        "kind": "metric-along",
        "along": "loss.temperature",
        "series": {"no labels": ["kd-no-labels"], "kd": ["kd"]},
    }
    along |= {"metric": "aurc", "score": "msp", "split": "test", "study": "distillation", "style": STYLE}
    config["students"]["kd"]["loss"]["temperature"] = 2
    config["figures"]["more"] = along
    study = load_study(config)
    figure = study.figures["more"]
    assert [figure.value_of(arm, study) for arm in ("kd", "kd-no-labels")] == [2, 4]
    assert "ce has no single number as its loss.temperature" in fault(put(config, "figures.more.series", {"a": ["ce"]}))


CUTMIX = {"method": "cutmix", "probability": 0.5, "beta": 1}
BY_MASKS = {"method": "mask-cutmix", "probability": 0.5, "n_placements": 8}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mixing": CUTMIX, "segmenter": "unet"}, "students.kd.segmenter: 'cutmix'"),
        ({"mixing": BY_MASKS}, "students.kd.segmenter: "),
        ({"mixing": BY_MASKS, "masks": "truth"}, "students.kd.masks: 'given'"),
        ({"segmenter": "unet"}, "students.kd.segmenter: "),
        ({"mixing": CUTMIX, "teacher_view": "fixed"}, "students.kd.teacher_view: "),
        ({"mixing": CUTMIX, "teacher_views": 3}, "students.kd.teacher_views: 3"),
        ({"mixing": BY_MASKS | {"labels": "visible-fraction"}, "segmenter": "unet"}, "students.kd.mixing.labels: "),
        ({"mixing": CUTMIX, "target_transform": {"method": "corrected"}}, "students.kd.mixing: "),
        (
            {"mixing": CUTMIX, "loss": {"method": "dkd", "temperature": 4, "alpha": 1, "beta": 8}},
            "students.kd.mixing: ",
        ),
    ],
)
def test_a_student_of_mixed_images_has_masks_and_a_loss_that_go_with_it(config, change, message):
    config["students"]["kd"] |= change
    check_message(fault(config), message)


DISAGREEMENT = {"weight": 1}


def test_one_teacher_has_no_disagreement(config):
    config["students"]["kd"]["disagreement"] = DISAGREEMENT
    check_message(fault(config), "students.kd.disagreement: ")
    config["students"]["kd"]["teacher"] = ["teacher", "ce"]
    study = load_study(config)
    assert study.model_settings("kd")["disagreement"] == {"weight": 1, "shuffled": False}
    assert "disagreement" not in study.model_settings("kd-no-labels")
    assert "distillation.disagreement" in study.modules_of_model("kd")
    assert "models.disagreement" in study.families_of("ce", "kd")
    assert "models.disagreement" not in study.families_of("ce")
    assert study.views("kd") == study.views("kd-no-labels")


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"teacher": "teacher", "teacher_views": 2}, False),  # which disagree
        ({"teacher": "fold"}, False),
        ({"teacher": "fold", "targets": "held-out"}, True),  # one of two has not seen an image
        ({"teacher": ["fold", "fold-of-more"], "targets": "held-out"}, False),
    ],
)
def test_those_that_an_image_has_disagree(config, change, refused):
    config["teachers"] |= {"fold": {"folds_of": "teacher", "parts": 2}}
    config["baselines"] |= {"fold-of-more": {"folds_of": "ce", "parts": 3}}
    config["students"]["kd"] |= {"disagreement": DISAGREEMENT, **change}
    if refused:
        check_message(fault(config), "students.kd.disagreement: ")
    else:
        load_study(config)


def test_held_out_targets_are_of_single_images(config):
    config["teachers"] |= {"fold": {"folds_of": "teacher", "parts": 2}}
    config["students"]["kd"] |= {"teacher": "fold", "targets": "held-out", "mixing": CUTMIX}
    check_message(fault(config), "students.kd.targets: ")


def test_the_score_of_disagreement_needs_a_student_that_learns_it(config):
    config["evaluation"]["scores"].append("disagreement")
    check_message(fault(config), "evaluation.scores: ")
    config["students"]["kd"] |= {"disagreement": DISAGREEMENT, "teacher": ["teacher", "ce"]}
    load_study(config)


def test_shuffled_disagreement_compares_images_of_one_label(config):
    config["students"]["kd"] |= {"disagreement": DISAGREEMENT | {"shuffled": True}, "teacher": ["teacher", "ce"]}
    check_message(fault(put(config, "students.kd.mixing", CUTMIX)), "students.kd.mixing: ")
    config = put(config, "students.kd.mixing", None)
    check_message(fault(put(config, "recipes.short.gpu", 2)), "recipes.short.gpu: 2 1")


def test_mixed_images_are_a_stream_of_their_own(config):
    kd = config["students"]["kd"]
    config["students"]["mixed"] = {**kd, "mixing": CUTMIX}
    config["students"]["masked"] = {**kd, "mixing": BY_MASKS, "segmenter": "unet"}
    study = load_study(config)
    assert [name for name in study.students if study.stores_soft_labels(name)] == ["kd", "kd-no-labels"]
    assert not {"mixing", "masks"} & {*study.views("kd"), *study.model_settings("kd")}
    assert study.views("masked")["segmenter"] == "unet" and study.views("mixed")["segmenter"] is None
    assert {"mixing.mixer", "mixing.methods.cutmix"} <= {*study.modules_of_model("mixed")}
    assert "mixing.mixer" not in study.modules_of_model("kd")
    config["students"]["other"] = {**kd, "mixing": CUTMIX, "loss": {"method": "hard", "alpha": 1}}
    study = load_study(config)
    assert study.stores_soft_labels("mixed") and study.stores_soft_labels("other")
    for name in ("mixed", "other"):
        config["students"][name]["mixing"] = CUTMIX | {"also_clean": 1}  # two targets for an image
    assert not load_study(config).stores_soft_labels("mixed")


def test_no_student_mixes_by_masks_that_were_made_from_it(config):
    config["students"]["kd"] |= {"mixing": BY_MASKS, "segmenter": "unet"}
    assert fault(put(config, "segmenters.unet.teacher", "kd")).startswith("config: segmenters.unet.teacher: circular:")


def test_several_teachers_are_a_set(config):
    config["students"]["kd"]["teacher"] = ["teacher", "ce"]
    assert load_study(config).students["kd"].teacher == ["ce", "teacher"]


def test_soft_labels_are_stored_where_two_students_read_them_of_the_same_teachers(config):
    def stored() -> list[str]:
        study = load_study(config)
        return [name for name in study.students if study.stores_soft_labels(name)]

    kd = config["students"]["kd"]
    assert stored() == ["kd", "kd-no-labels"]
    hard = {"loss": {"method": "hard", "alpha": 1}, "target_transform": {"method": "corrected"}}
    config["students"]["corrected"] = {**kd, **hard}
    assert stored() == ["kd", "kd-no-labels", "corrected"]  # whatever becomes of the targets
    config["students"]["both"] = {**kd, "teacher": ["ce", "teacher"]}
    assert stored() == ["kd", "kd-no-labels", "corrected"]  # the set is another's than its members'
    config["students"]["other"] = {**kd, **hard, "teacher": ["teacher", "ce"]}
    assert stored() == ["kd", "kd-no-labels", "corrected", "both", "other"]
    config["students"]["other"]["teacher_view"] = "fixed"
    assert stored() == ["kd", "kd-no-labels", "corrected"]
    config["soft_labels"]["mode"] = "stored"
    assert stored() == ["kd", "kd-no-labels", "corrected", "both"]


FOLDS = {"folds_of": "ce", "parts": 3}


@pytest.mark.parametrize(
    ("teacher", "expected"),
    [
        ("folds", None),
        (["folds-1", "folds-2", "folds-3"], None),  # a whole division
        (["folds", "others"], None),
        ("ce", "students.kd.targets: 'ce'"),
        (["folds", "ce"], "students.kd.targets: 'ce'"),
        (["folds-1", "folds-2"], "students.kd.targets: 'folds-1' 3"),
        (["folds", "others-1"], "students.kd.targets: 'others-1' 2"),
    ],
)
def test_held_out_targets_are_those_of_whole_divisions(config, teacher, expected):
    config["baselines"] |= {"folds": FOLDS | {"n": 6}, "others": FOLDS | {"folds_of": "label-smoothing", "parts": 2}}
    config["students"]["kd"] |= {"teacher": teacher, "targets": "held-out"}
    if expected is None:
        load_study(config)
    else:
        check_message(fault(config), expected)


def test_targets_of_other_views_or_teachers_are_other_files(config):
    config["baselines"]["folds"], kd = FOLDS, config["students"]["kd"]
    given = [{}, {"targets": "held-out"}, {"teacher_views": 2}, {"teacher_views": 3}]
    config["students"] |= {f"s-{i}": kd | {"teacher": "folds"} | each for i, each in enumerate(given)}
    study = load_study(config)
    assert not any(map(study.stores_soft_labels, ["s-0", "s-1", "s-2", "s-3"]))
    assert study.views("s-1") == study.views("s-0") | {"targets": "held-out"}
    assert "teacher_views" not in study.views("s-0") and study.views("s-3")["teacher_views"] == 3
    config["students"]["s-4"] = config["students"]["s-3"]
    assert load_study(config).stores_soft_labels("s-3")


def test_a_fixed_view_is_one(config):
    config["students"]["kd"] |= {"teacher_view": "fixed", "teacher_views": 2}
    check_message(fault(config), "students.kd: ")

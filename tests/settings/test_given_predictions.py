"""Models of which others made the predictions: what of the config they may stand in, and what needs a network."""

import pytest
from wrong_configs import check_message, fault, put

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.files import check_files
from selfdoubt.settings.study import load_study

ELSEWHERE = {"test": "{dataset}/a.npz"}


def alone(config: dict, **of_data) -> dict:
    """A study of predictions alone, in place of the default one's models and claims."""
    for section in (
        "teachers",
        "baselines",
        "students",
        "augmented",
        "segmenters",
        "enhancers",
        "hypotheses",
        "figures",
    ):
        config[section] = {}
    config["datasets"] = {"photos": {"source": "predictions", **of_data}}
    config["predictions"] = {"a": ELSEWHERE, "b": {"test": "b.csv", "val": "v/{dataset}.parquet", "label": "B"}}
    config["groups"] = {"pair": {"members": ["a", "b"], "protocols": ["mean-probability"]}}
    config["comparisons"] = []
    text = dict.fromkeys(("title", "question", "background", "protocol", "threats"), "x")
    config["studies"] = {"s": {**text, "reference": "a", "arms": ["b", "pair/mean-probability"]}}
    return config


def test_a_study_may_have_predictions_alone(config):
    study = load_study(alone(config))
    assert study.arms() == ["a", "b", "pair/mean-probability"] and not study.models
    assert study.replicates_of("a") == study.replicates_of("pair") == [1]
    assert (study.role("a"), study.label("b")) == ("given", "B")
    assert study.predictions["b"].files("photos") == {"test": "b.csv", "val": "v/photos.parquet"}
    assert "b.csv" not in study.model_dump_json()  # where files are is no part of a result


def test_files_must_be_there(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/a.npz").touch()
    with pytest.raises(Exception, match=r"predictions\.b\.test: b\.csv is missing"):
        check_files(load_study(alone(config)), tmp_path)


def test_a_file_is_of_one_split(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = alone(config)
    config["predictions"]["b"] |= {"test": "b.csv", "val": "./b.csv"}
    for name in ("photos/a.npz", "b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(Exception, match=r"predictions\.b\.val: \./b\.csv is the file of test too"):
        check_files(load_study(config), tmp_path)


def test_predictions_stand_beside_networks(config):
    config["predictions"] = {"theirs": ELSEWHERE | {"ood": {"digits": "d.npz"}}}
    config["groups"]["mixed"] = {"members": ["ce", "theirs"], "protocols": ["mean-probability"]}
    config["studies"]["distillation"]["arms"].append("theirs")
    study = load_study(config)
    assert "theirs" in study.arms() and study.replicates_of("mixed") == [1, 2, 3]
    assert study.replicate_of("theirs", 3) == 1


OF_NETWORKS = [
    ("enhancers.odin.models", ["theirs"], "enhancers.odin.models: 'theirs'"),
    ("students.kd.teacher", "theirs", "students.kd.teacher: 'theirs'"),
    ("segmenters.unet.teacher", "theirs", "segmenters.unet.teacher: 'theirs'"),
    ("groups.mixed", {"members": ["ce", "theirs"], "protocols": ["persuasion"]}, "groups.mixed.protocols: 'theirs'"),
    ("predictions.theirs.ood", {}, "predictions.theirs.ood.digits:"),
    ("predictions.theirs.ood", {"digits": "d.npz", "svhn": "s.npz"}, "predictions.theirs.ood.svhn:"),
    ("predictions.theirs.test", "a.txt", "predictions.theirs.test: 'a.txt'"),
    ("predictions.theirs.test", "{model}.npz", "predictions.theirs.test: '{model}.npz'"),
    ("predictions.ce", {"test": "a.npz", "ood": {"digits": "d.npz"}}, "predictions.ce: baselines.ce"),
    ("datasets.photos", {"source": "predictions", "ood": ["digits"]}, "datasets.photos.source: 'teacher'"),
]


@pytest.mark.parametrize(("place", "value", "expected"), OF_NETWORKS, ids=lambda each: str(each)[:40])
def test_what_needs_a_network_is_refused(config, place, value, expected):
    config["predictions"] = {"theirs": ELSEWHERE | {"ood": {"digits": "d.npz"}}}
    check_message(fault(put(config, place, value)), expected)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("size_px", 32, "datasets.photos.size_px:"), ("val_fraction", 1.0, "datasets.photos.val_fraction: 1")],
)
def test_data_without_images_have_no_settings_of_images(config, key, value, expected):
    check_message(fault(alone(config, **{key: value})), expected)


def test_what_reads_images_is_refused_without_them(config):
    config = alone(config)
    config["evaluation"] |= {"scores": ["msp", "mc-dropout"], "mc_dropout_passes": 5}
    check_message(fault(config), "evaluation.scores: mc-dropout")
    config["evaluation"]["scores"] = ["msp", "knn"]
    check_message(fault(config), "evaluation.scores: knn")
    config["evaluation"]["scores"] = ["msp"]
    style = {"width_mm": 100, "height_mm": 80}
    figure = {"kind": "object-size", "study": "s", "arms": ["a"], "split": "test", "score": "msp", "n_bins": 4}
    message = fault(put(config, "figures", {"sizes": figure | {"style": style}}))
    assert "figures.sizes" in message


def test_labels_of_people_are_of_the_models_in_their_order(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = alone(config, soft_labels="counts.npy")
    config["predictions"]["b"]["own_order"] = True
    config["predictions"]["c"] = {"test": "{dataset}/c.npz"}
    config["groups"]["like"] = {"members": ["a", "c"], "protocols": ["mean-probability"]}
    study = load_study(config)
    known = {name: study.has_soft_labels("photos", name) for name in ("a", "b", "pair", "like")}
    assert known == {"a": True, "b": False, "pair": False, "like": True}
    assert "counts.npy" not in study.model_dump_json()
    for name in ("photos/a.npz", "photos/c.npz", "b.csv", "v/photos.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"datasets\.photos\.soft_labels: counts\.npy is missing"):
        check_files(study, tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("figures.gap.coverage_percent", 55, "coverage_percent: 55.0 is not in evaluation.coverages_percent"),
        ("figures.gap.score", "mc-dropout", "score: mc-dropout is not in evaluation.scores"),
        ("figures.gap.labels", "people", "labels: people, but datasets.photos has no soft_labels"),
        ("datasets.photos.soft_labels", "counts.csv", "soft_labels: 'counts.csv' is not one of .npy, .npz"),
    ],
)
def test_gaps_are_shown_of_what_is_measured(config, key, value, message):
    config = alone(config)
    style = {"width_mm": 100, "height_mm": 60}
    config["figures"] = {"gap": {"kind": "oracle-gap", "arms": ["a"], "split": "test", "score": "msp", "style": style}}
    load_study(config)
    put(config, key, value)
    assert message in fault(config)

"""Bad input: each fault ends with one line that names the key and the remedy."""

import re

import pytest
from copies import ROOT

from selfdoubt.errors import UserError
from selfdoubt.provenance import canonical
from selfdoubt.settings import check_files, load_study, parse_arm


def fault(config: dict) -> str:
    with pytest.raises(UserError) as caught:
        load_study(config)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def put(config: dict, place: str, value) -> dict:
    """Set the value at "section.key.key"; None removes it."""
    *parents, last = place.split(".")
    here = config
    for key in parents:
        here = here[key]
    if value is None:
        del here[last]
    else:
        here[last] = value
    return config


ONE_WAY = {"method": "one-way", "message": "gradient", "epsilon_255": 8, "n_steps": 1, "n_candidates": 2}
ONE_WAY |= {"contested_below": 0.7, "sender": "ce", "listener": "kd"}
DIALOGUE = {"method": "dialogue", "message": "gradient", "epsilon_255": 8, "n_rounds": 2}


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("sedes", [1], "config: sedes: unknown key; did you mean 'seeds'?"),
        ("students.kd.temprature", 4, "config: students.kd.temprature: unknown key; did you mean 'temperature'?"),
        ("enhancers.odin.epsilon", [4], "config: enhancers.odin.epsilon: unknown key; did you mean 'epsilon_255'?"),
        (
            "figures.reliability.style.width",
            9,
            "figures.reliability.style.width: unknown key; did you mean 'width_mm'?",
        ),
        ("recipes.short.epochs", "7", "config: recipes.short.epochs: input should be a valid integer, found '7'"),
        ("recipes.short.epochs", 6.5, "config: recipes.short.epochs: input should be a valid integer"),
        ("recipes.short.flip", 1, "config: recipes.short.flip: input should be a valid boolean, found 1"),
        ("recipes.short.optimizer.momentum", 1, "short.optimizer.momentum: input should be less than 1, found 1"),
        ("students.kd.alpha", 90, "config: students.kd.alpha: input should be less than or equal to 1, found 90"),
        ("enhancers.odin.epsilon_255", [0.001], "epsilon_255.0: input should be greater than or equal to 0.01"),
        ("enhancers.random-sign.precision", "bfloat16", "config: enhancers.random-sign.precision: unknown key"),
        (
            "protocols.persuasion-placebo.precision",
            "auto",
            "random signs have no gradient, so `precision` says nothing",
        ),
        (
            "protocols.persuasion-placebo.gains_relative_to",
            "random-sign",
            "random signs are what gains are held against; `gains_relative_to` must be none",
        ),
        ("protocols.mean-logit.n_folds", 5, "config: protocols.mean-logit.n_folds: unknown key"),
        ("protocols.mean-logit.method", "vote", "config: protocols.mean-logit: input tag 'vote' found using 'method'"),
        ("protocols.s", {"method": "stacking", "penalty": [0], "n_folds": 5}, "s.penalty.0: input should be greater"),
        ("protocols.s", {"method": "stacking", "penalty": [], "n_folds": 5}, "protocols.s.penalty: has 0 entries"),
        ("protocols.s", {"method": "stacking", "penalty": [1], "n_folds": 1}, "protocols.s.n_folds: input should be"),
        (
            "protocols.persuasion",
            ONE_WAY | {"listener": "teacher"},
            "config: protocols.persuasion: 'teacher' is not a member of 'trio'",
        ),
        (
            "protocols.persuasion",
            ONE_WAY | {"listener": "ce", "gains_relative_to": "sender"},
            "the listener is the sender, whose gain over its own is 1",
        ),
        ("protocols.persuasion", DIALOGUE | {"n_rounds": 0}, "protocols.persuasion.n_rounds: input should be greater"),
        (
            "protocols.persuasion",
            DIALOGUE,
            "figures.persuasion-matrix.protocol: 'persuasion' is not a protocol of the group that argues",
        ),
        ("recipes.short.device", "gpu", "recipes.short.device: input should be 'auto', 'cpu' or 'cuda', found 'gpu'"),
        ("networks.convnet-small.family", "resnet", "config: networks.convnet-small: input tag 'resnet'"),
        (
            "networks.r",
            {"family": "resnet-cifar", "depth": 18},
            "networks.r.depth: a depth of this family is 6n + 2, such",
        ),
        ("networks.r", {"family": "resnet-cifar", "depth": 2}, "6n + 2, such as 8, found 2"),
        ("networks.r", {"family": "wide-resnet", "depth": 28}, "config: networks.r.widen_factor: this key is missing"),
        (
            "networks.r",
            {"family": "wide-resnet", "depth": 27, "widen_factor": 2},
            "config: networks.r.depth: a depth of this family is 6n + 4, such as 28, found 27",
        ),
        (
            "networks.r",
            {"family": "timm", "name": "resnet18", "weights": "w.bin"},
            "config: networks.r.weights: weights are read from a .safetensors or a .pth file, found 'w.bin'",
        ),
        (
            "networks.r",
            {"family": "timm", "name": "resnet18", "weights": "w.pth", "pretrained": True},
            "config: networks.r.pretrained: true, and weights name a file; remove one of the two",
        ),
        ("pretrained.r", {"name": "resnet18", "network": "x"}, "config: pretrained.r.network: unknown key; "),
        ("pretrained.ce", {"name": "resnet18"}, "config: pretrained.ce: the name is taken by baselines.ce"),
        ("students.kd.network", "convnet-xl", "students.kd.network: 'convnet-xl' is not a network; did you mean"),
        (
            "students.kd.teacher",
            "techer",
            "config: students.kd.teacher: 'techer' is not a model; did you mean 'teacher'?",
        ),
        ("students.kd.teacher", "kd", "config: students.kd.teacher: circular (kd -> kd)"),
        ("segmenters.unet.teacher", "mask-cutmix", "segmenters.unet.teacher: circular: 'mask-cutmix' learns from"),
        ("segmenters.unet.teacher_seed", 9, "segmenters.unet.teacher_seed: 9 is not one of seeds [1, 2, 3]"),
        ("seeds", [1, 2, 1], "config: seeds: 1 is given twice; remove one"),
        ("seeds", [], "config: seeds: has 0 entries and needs 1 or more"),
        ("groups.trio.members", ["ce"], "config: groups.trio.members: has 1 entries and needs 2 or more"),
        ("groups.trio.members", ["ce", "ce"], "config: groups.trio.members: ce is given twice"),
        ("groups.trio.protocols", ["vote"], "config: groups.trio.protocols: 'vote' is not a protocol"),
        ("enhancers.odin.models", ["c"], "config: enhancers.odin.models: 'c' is not a model"),
        ("evaluation.scores", ["mps"], "config: evaluation.scores.0: input should be 'msp'"),
        ("evaluation.metrics", ["aurk"], "config: evaluation.metrics.0: input should be 'accuracy'"),
        (
            "evaluation.scores",
            ["msp", "mc-dropout"],
            "config: evaluation.mc_dropout_passes: 0; the score mc-dropout needs",
        ),
        (
            "evaluation.resampled_splits",
            ["tst"],
            "evaluation.resampled_splits: 'tst' is not a split; did you mean 'test'?",
        ),
        ("evaluation.ece_bins", None, "config: evaluation.ece_bins: this key is missing; add it"),
        ("hypotheses.kd-ranks-better.metric", "arc", "config: hypotheses.kd-ranks-better.metric: 'arc' is not one of"),
        (
            "hypotheses.kd-ranks-better.split",
            "tst",
            "kd-ranks-better.split: 'tst' is not a split; did you mean 'test'?",
        ),
        ("hypotheses.kd-ranks-better.better", "ce/odn", "hypotheses.kd-ranks-better.better: 'ce/odn' is not an arm"),
        ("studies.communication.reference", "trio", "config: studies.communication: 'trio' is not an arm"),
        ("figures.mask-gallery.segmenter", "u", "config: figures.mask-gallery.segmenter: 'u' is not a segmenter"),
        (
            "figures.persuasion-matrix.protocol",
            "mean-probability",
            "is not a protocol of the group that argues",
        ),
        ("augmented.mask-cutmix.segmenter", None, "augmented.mask-cutmix.segmenter: mixing by masks needs one"),
        ("augmented.cutmix.segmenter", "unet", "config: augmented.cutmix.segmenter: 'cutmix' uses no masks; remove it"),
        ("datasets.fashion-mnist-12k.ood", ["digit"], "ood: 'digit' is not one of ood_sets; did you mean 'digits'?"),
        ("datasets", None, "config: datasets: this key is missing; add it"),
    ],
)
def test_a_fault_names_its_key_and_a_remedy(config, place, value, expected):
    assert expected in fault(put(config, place, value))


@pytest.mark.parametrize("name", ["Big Net", "a_b", "-a", "a--b", "x" * 61, "a;rm"])
def test_names_are_safe_in_paths_and_shells(config, name):
    config["baselines"][name] = config["baselines"]["ce"]
    assert fault(config).startswith(f"config: baselines.{name}: ")


def test_a_circle_of_teachers_is_told_in_full(config):
    student = config["students"]["kd"]
    config["students"] = {"a": {**student, "teacher": "b"}, "b": {**student, "teacher": "a"}}
    assert fault(config).startswith("config: students.a.teacher: circular (a -> b -> a)")


def test_a_name_can_stand_once_among_models_and_groups(config):
    config["groups"]["ce"] = config["groups"]["trio"]
    assert fault(config) == "config: groups.ce: the name is taken by baselines.ce; choose another"


def test_the_study_without_models_says_so(config):
    for section in (
        "teachers",
        "baselines",
        "students",
        "augmented",
        "pretrained",
        "segmenters",
        "enhancers",
        "groups",
    ):
        config[section] = {}
    config["studies"], config["hypotheses"], config["figures"] = {}, {}, {}
    assert "the study has no model" in fault(config)


def test_an_embedded_data_set_must_be_there_whole(config, tmp_path):
    (tmp_path / "resources/fashion-mnist-12k").mkdir(parents=True)
    with pytest.raises(UserError, match=re.escape("resources/fashion-mnist-12k/train.parquet is missing")):
        check_files(load_study(config), tmp_path / "resources")
    (tmp_path / "resources/fashion-mnist-12k/train.parquet").touch()
    config["datasets"]["fashion-mnist-12k"]["source"] = "embedded:fashion-mnist-12"
    with pytest.raises(UserError, match="did you mean 'fashion-mnist-12k'"):
        check_files(load_study(config), tmp_path / "resources")


def test_a_file_of_weights_must_be_there(config, tmp_path):
    def told(place: str) -> None:
        with pytest.raises(UserError, match=re.escape(f"config: {place}.weights: {weights} is missing; put the file")):
            check_files(load_study(config), ROOT / "resources")
        weights.touch()
        check_files(load_study(config), ROOT / "resources")
        weights.unlink()

    weights = tmp_path / "w.pth"
    config["networks"]["r"] = {"family": "timm", "name": "resnet18", "weights": str(weights)}
    check_files(load_study(config), ROOT / "resources")  # no model has this network
    config["baselines"]["ce"]["network"] = "r"
    told("networks.r")
    config["baselines"]["ce"]["network"] = "convnet-small"
    config["pretrained"]["p"] = {"name": "resnet18", "weights": str(weights)}
    told("pretrained.p")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "data"),
        ({"pretrained": True}, "pretrained"),
        ({"weights": "w.pth"}, "pretrained"),
        ({"weights": "w.pth", "input_px": "data"}, "data"),
    ],
)
def test_images_have_the_size_that_weights_were_trained_for_unless_it_is_said(config, given, expected):
    config["networks"]["r"] = {"family": "timm", "name": "resnet18", **given}
    assert load_study(config).networks["r"].input_px == expected


def test_a_path_of_weights_is_no_setting_of_a_model(config):
    config["networks"]["r"] = {"family": "timm", "name": "resnet18", "weights": "here.pth"}
    config["baselines"]["ce"]["network"] = "r"
    config["pretrained"] = {"p": {"name": "resnet18", "weights": "there.pth"}, "q": {"name": "resnet18"}}
    study = load_study(config)
    assert "weights" not in study.model_settings("ce")["network"] and study.weights("ce") == "here.pth"
    network = {"family": "timm", "name": "resnet18", "pretrained": False, "patch_px": 4, "input_px": "pretrained"}
    assert study.model_settings("p") == {"network": network} and study.weights("p") == "there.pth"
    assert study.model_settings("q") == {"network": {**network, "pretrained": True}} and study.weights("q") is None


def test_what_is_not_trained_is_there_for_the_first_seed_alone(config):
    config["pretrained"] = {"p": {"name": "resnet18"}, "q": {"name": "resnet34"}}
    config["groups"]["old"] = {"members": ["p", "q"], "protocols": ["mean-probability"]}
    config["groups"]["mixed"] = {"members": ["p", "ce"], "protocols": ["mean-probability"]}
    study = load_study(config)
    assert study.seeds_of("p") == study.seeds_of("old") == [1]
    assert study.seeds_of("ce") == study.seeds_of("mixed") == [1, 2, 3]
    assert [study.seed_of("p", seed) for seed in (1, "2", 3)] == [1, 1, 1]
    assert [study.seed_of("mixed", seed) for seed in (1, "2", 3)] == [1, 2, 3]
    assert study.role("p") == "pretrained"


def test_equal_meaning_gives_equal_settings(config):
    study = load_study(config)
    config["recipes"]["short"] = dict(reversed(config["recipes"]["short"].items()))
    config["students"]["kd"]["temperature"] = 4.0
    assert canonical(load_study(config).model_settings("kd")) == canonical(study.model_settings("kd"))


def test_a_models_settings_hold_its_network_and_recipe_and_nothing_of_others(config):
    settings = load_study(config).model_settings("kd")
    assert settings["network"]["widths"] == config["networks"]["convnet-small"]["widths"]
    assert settings["recipe"]["epochs"] == config["recipes"]["short"]["epochs"]
    assert set(settings) == {"network", "recipe", "temperature", "alpha", "top_k"}


def test_arms():
    assert parse_arm("ce") == ("ce", "clean")
    assert parse_arm("ce/odin") == ("ce", "odin")


def test_the_metrics_that_can_be_compared_are_those_that_have_an_interval(config):
    from selfdoubt.evaluation import metric_names
    from selfdoubt.metrics import metric

    settings = load_study(config).evaluation
    hypothesis = config["hypotheses"]["kd-ranks-better"]
    kinds = ("accuracy", "ranking", "calibration", "ood", "class-ood")
    for kind, name in [(each, name) for each in kinds for name in metric_names(each, settings)]:
        place = {"score": "none" if kind == "accuracy" else "msp", "split": "ood-digits" if "ood" in kind else "test"}
        put(config, "hypotheses.kd-ranks-better", {**hypothesis, "metric": name, **place})
        if metric(name).resampled:
            load_study(config)
        else:
            assert "kd-ranks-better.metric" in fault(config)


@pytest.mark.parametrize(
    ("metric", "score", "split", "expected"),
    [
        ("coverage-at-sac-101", "msp", "test", "kd-ranks-better.metric: 101 is no percentage above 0 and up to 100"),
        ("coverage-at-sac-9.9.9", "msp", "test", "kd-ranks-better.metric: 'coverage-at-sac-9.9.9' is not one of"),
        ("accuracy", "msp", "test", "kd-ranks-better.score: accuracy does not take 'msp'; scores: none"),
        ("aurc", "none", "test", "kd-ranks-better.score: aurc does not take 'none'; scores: msp, "),
        ("ece", "energy", "test", "kd-ranks-better.score: ece does not take 'energy'; scores: msp, msp-ts"),
        ("ood-auroc", "msp", "test", "kd-ranks-better.split: 'test'; ood-auroc is measured on an ood- split"),
        ("aurc", "msp", "ood-digits", "kd-ranks-better.split: 'ood-digits'; aurc is measured on a labelled split"),
    ],
)
def test_a_claim_that_cannot_be_judged_is_refused_before_any_job(config, metric, score, split, expected):
    config["hypotheses"]["kd-ranks-better"] |= {"metric": metric, "score": score, "split": split}
    assert expected in fault(config)


@pytest.mark.parametrize("key", ["selective_accuracies_percent", "coverages_percent"])
def test_a_percentage_given_twice_is_refused(config, key):
    config["evaluation"][key] = [90, 90.0]
    assert f"evaluation.{key}: 90.0 is given twice" in fault(config)


def test_the_config_knows_the_scores_of_probabilities_and_the_metrics_that_need_them():
    from selfdoubt.metrics import METRICS
    from selfdoubt.scores import PROBABILITY_SCORES as known
    from selfdoubt.settings import analysis

    needing = {name for name, each in METRICS.items() if each.of == "calibration" and each.resampled}
    assert (set(analysis.CALIBRATION), analysis.PROBABILITY_SCORES) == (needing, known)


def test_null_takes_away_at_any_depth(config):
    config["datasets"] = {"fashion-mnist-12k": None, "mine": config["datasets"]["fashion-mnist-12k"]}
    config["recipes"]["short"]["optimizer"] |= {"method": "adamw", "betas": [0.9, 0.999], "momentum": None}
    study = load_study(config)
    assert list(study.datasets) == ["mine"] and study.recipes["short"].optimizer.betas == [0.9, 0.999]
    assert {figure.dataset for figure in study.figures.values()} == {"mine"}  # the first that is left


def test_null_where_something_is_needed_is_missing(config):
    config["recipes"]["short"]["epochs"] = None
    assert "recipes.short.epochs: this key is missing" in fault(config)


def test_means_over_corruptions_are_splits_that_can_be_compared(config):
    for split in ("gaussian-noise-mean", "corrupted-mean"):
        put(config, "hypotheses.kd-ranks-better.split", split)
        put(config, "evaluation.resampled_splits", ["test", split])
        load_study(config)


def test_scores_and_metrics_of_the_config_are_those_of_the_library():
    from typing import get_args

    from selfdoubt import metrics, scores
    from selfdoubt.settings.analysis import MetricFamily, Score

    assert set(get_args(Score)) == {*scores.SCORES, *scores.SIGNALS}
    assert set(get_args(MetricFamily)) == set(metrics.FAMILIES)


def test_one_way_asks_its_sender_and_its_listener_alone(config):
    config["protocols"]["down"] = ONE_WAY
    config["groups"]["trio"]["protocols"].append("down")
    study = load_study(config)
    assert study.speakers("trio", "down") == ["ce", "kd"]
    assert study.speakers("trio", "persuasion") == study.speakers("trio", "mean-logit") == ["ce", "cutmix", "kd"]

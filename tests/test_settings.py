"""Bad input: each fault ends with one line that names the key and the remedy."""

import re

import pytest
from copies import ROOT
from wrong_configs import fault, faults, put

from selfdoubt.errors import UserError
from selfdoubt.provenance import canonical
from selfdoubt.settings import check_files, load_study, parse_arm

STYLE = {"width_mm": 100, "height_mm": 80}
SIZES = {"kind": "object-size", "study": "mask-cutmix", "arms": ["ce", "cutmix"], "split": "test", "score": "msp"}
SIZES |= {"n_bins": 4, "style": STYLE}


TTA = {"method": "tta", "models": ["ce"], "n_views": 4, "shift_px": [0, 1], "flip": True}
ACE = {"method": "ace", "models": ["ce"], "epsilon_255": 2, "n_halvings": 4}
DEEP = {"method": "deep", "models": ["ce"], "epsilon_255": [8], "confidence_weight": [1], "width": 8, "epochs": 2}
DEEP |= {"batch_size": 64, "learning_rate": 0.003, "n_folds": 2}
LOGISTIC = {"method": "clean-logistic", "models": ["ce"], "l2_penalty": [0.1], "n_folds": 3}


ONE_WAY = {"method": "one-way", "message": "gradient", "epsilon_255": 8, "n_steps": 1, "n_candidates": 2}
ONE_WAY |= {"contested_below": 0.7, "sender": "ce", "listener": "kd"}
DIALOGUE = {"method": "dialogue", "message": "gradient", "epsilon_255": 8, "n_rounds": 2}


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("sedes", [1], "config: sedes: unknown key; did you mean 'seeds'?"),
        ("students.kd.loss.temprature", 4, "students.kd.loss.temprature: unknown key; did you mean 'temperature'?"),
        ("enhancers.odin.epsilon", [4], "config: enhancers.odin.epsilon: unknown key; did you mean 'epsilon_255'?"),
        (
            "figures.reliability.style.width",
            9,
            "figures.reliability.style.width: unknown key; did you mean 'width_mm'?",
        ),
        ("recipes.short.epochs", "7a", "config: recipes.short.epochs: input should be a valid integer, found '7a'"),
        ("recipes.short.epochs", 6.5, "config: recipes.short.epochs: input should be a valid integer"),
        ("recipes.short.flip", 1, "config: recipes.short.flip: input should be a valid boolean, found 1"),
        ("recipes.short.optimizer.momentum", 1, "short.optimizer.momentum: input should be less than 1, found 1"),
        ("students.kd.loss.alpha", 90, "students.kd.loss.alpha: input should be less than or equal to 1, found 90"),
        ("enhancers.odin.epsilon_255", [0.001], "epsilon_255.0: input should be greater than or equal to 0.01"),
        (
            "enhancers.random-sign.precision",
            "bfloat16",
            "config: enhancers.random-sign.precision: 'random-sign' has no such key",
        ),
        (
            "enhancers.anti-adversary.temperature",
            [1, 10],
            "config: enhancers.anti-adversary.temperature: 'anti-adversary' has no such key; remove it. Keys: ",
        ),
        (
            "enhancers.random-sign.temperature",
            [0],
            "random-sign.temperature.0: input should be greater than 0, found 0",
        ),
        ("enhancers.odin.method", "odn", "config: enhancers.odin.method: 'odn' is not a method; did you mean 'odin'?"),
        (
            "enhancers.views",
            TTA | {"n_views": 1},
            "enhancers.views.n_views: input should be greater than or equal to 2",
        ),
        ("enhancers.views", TTA | {"flip": False}, "a shift_px of 0 without flip makes all views"),
        (
            "enhancers.bound",
            ACE | {"epsilon_255": [1, 2]},
            "enhancers.bound.epsilon_255: input should be a valid number",
        ),
        ("enhancers.bound", ACE | {"n_halvings": -1}, "enhancers.bound.n_halvings: input should be greater than or"),
        ("enhancers.net", DEEP | {"n_folds": 1}, "enhancers.net.n_folds: input should be greater than or equal to 2"),
        ("enhancers.net", DEEP | {"confidence_weight": [-1]}, "confidence_weight.0: input should be greater than or"),
        ("enhancers.net", DEEP | {"precision": "auto"}, "config: enhancers.net.precision: 'deep' has no such key"),
        (
            "enhancers.short",
            LOGISTIC | {"l2_penalty": [0]},
            "enhancers.short.l2_penalty.0: input should be greater than",
        ),
        ("enhancers.short", LOGISTIC | {"n_steps": 3}, "enhancers.short.n_steps: 'clean-logistic' has no such key"),
        (
            "protocols.persuasion-placebo.precision",
            "auto",
            "random signs have no gradient, so `precision` says nothing",
        ),
        ("protocols.persuasion-placebo.n_steps", 1, "random signs take no steps, so `n_steps` says nothing of them"),
        ("protocols.persuasion.n_steps", None, "`n_steps` is missing: in how many steps a message climbs to epsilon"),
        (
            "recipes.short.device",
            "gpu",
            "'gpu' is not a choice here; did you mean 'cuda'? ",
        ),
        (
            "networks.convnet-small.family",
            "resnet",
            "config: networks.convnet-small.family: 'resnet' is not a family; did you mean 'wide-resnet'? "
            "Choices: convnet, resnet-cifar, wide-resnet, timm",
        ),
        (
            "protocols.persuasion-placebo.gains_relative_to",
            "random-sign",
            "random signs are what gains are held against; `gains_relative_to` must be none",
        ),
        ("protocols.mean-logit.n_folds", 5, "protocols.mean-logit.n_folds: 'mean-logit' has no such key; remove it"),
        ("protocols.mean-logit.method", "vote", "protocols.mean-logit.method: 'vote' is not a method"),
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
        (
            "evaluation.scores",
            ["mps"],
            "scores.0: 'mps' is not a choice here; did you mean 'msp'?",
        ),
        (
            "evaluation.metrics",
            ["aurk"],
            "'aurk' is not a choice here; did you mean 'aurc'?",
        ),
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
        (
            "hypotheses.kd-ranks-better.metric",
            "arc",
            "'arc' is not a metric with an interval; did you mean 'aurc'?",
        ),
        (
            "hypotheses.kd-ranks-better.split",
            "tst",
            "kd-ranks-better.split: 'tst' is not a split; did you mean 'test'?",
        ),
        ("hypotheses.kd-ranks-better.better", "ce/odn", "hypotheses.kd-ranks-better.better: 'ce/odn' is not an arm"),
        ("studies.communication.reference", "trio", "config: studies.communication.reference: 'trio' is not an arm"),
        ("figures.auroc-accuracy.arms", ["ce", "cee"], "figures.auroc-accuracy.arms: 'cee' is not a model or a group"),
        ("figures.mask-gallery.segmenter", "u", "config: figures.mask-gallery.segmenter: 'u' is not a segmenter"),
        (
            "figures.persuasion-matrix.protocol",
            "mean-probability",
            "is not a protocol of the group that argues",
        ),
        ("augmented.mask-cutmix.segmenter", None, "augmented.mask-cutmix.segmenter: mixing by masks needs one"),
        ("augmented.cutmix.segmenter", "unet", "config: augmented.cutmix.segmenter: 'cutmix' uses no masks; remove it"),
        (
            "figures.mask-gallery",
            {"kind": "mixed-labels", "study": "mask-cutmix", "models": ["ce"], "style": STYLE},
            "config: figures.mask-gallery.models: 'ce' is not one of augmented",
        ),
        ("figures.mask-gallery", SIZES | {"arms": ["ce"]}, "figures.mask-gallery.arms: has 1 entries and needs 2"),
        (
            "figures.mask-gallery",
            SIZES | {"split": "ood-digits"},
            "split: 'ood-digits' is not a choice here. Choices: val, test",
        ),
        ("augmented.cutmix.masks", "given", "config: augmented.cutmix.masks: 'cutmix' uses no masks; remove it"),
        ("augmented.mask-cutmix.masks", "given", "mask-cutmix.masks: given, and a segmenter is named; remove one"),
        ("augmented.mask-cutmix.masks", "truth", "mask-cutmix.masks: 'truth' is not a choice here. Choices: given"),
        ("augmented.cutmix.mixing.alpha", 1.0, "config: augmented.cutmix.mixing.alpha: unknown key; remove it"),
        ("augmented.cutmix.mixing.method", "resize-mix", "mixing.method: 'resize-mix' is not a method; did you mean"),
        ("augmented.cutmix.mixing.labels", "object-area", "config: augmented.cutmix.mixing.labels: unknown key"),
        (
            "augmented.cutmix.mixing",
            {"method": "resizemix", "probability": 0.5, "min_scale": 0.8, "max_scale": 0.1},
            "config: augmented.cutmix.mixing.max_scale: 0.1 is below min_scale 0.8; swap them",
        ),
        (
            "augmented.cutmix.mixing",
            {"method": "resizemix", "probability": 0.5, "min_scale": 0.0, "max_scale": 0.1},
            "config: augmented.cutmix.mixing.min_scale: input should be greater than 0",
        ),
        (
            "augmented.cutmix.mixing",
            {"method": "mixup", "probability": 0.5, "alpha": 0.0},
            "config: augmented.cutmix.mixing.alpha: input should be greater than 0",
        ),
        (
            "augmented.mask-cutmix.mixing",
            {"method": "oa-cutmix", "probability": 0.5, "beta": 1.0, "labels": "pixel-area"},
            "mixing.labels: 'pixel-area' is not a choice here. Choices: object-area, relative-object-area",
        ),
        (
            "augmented.mask-cutmix.mixing.mask_control",
            "random",
            "mask_control: 'random' is not a choice here. Choices: none, permuted, boxes",
        ),
        ("datasets.fashion-mnist-12k.ood", ["digit"], "ood: 'digit' is not one of ood_sets; did you mean 'digits'?"),
        ("datasets", None, "config: datasets: this key is missing; add it"),
        ("datasets", {"fashion-mnist-12k": None}, "config: datasets: has 0 entries and needs 1 or more; add one"),
        ("datasets", ["cifar10"], "config: datasets: needs keys with values (key: value), found ['cifar10']"),
        ("baselines", ["ce"], "config: baselines: needs keys with values (key: value), found ['ce']"),
        ("baselines.ce", "convnet-small", "config: baselines.ce: needs keys with values (key: value), found 'convnet"),
        ("figures.reliability", 3, "config: figures.reliability: needs keys with values (key: value), found 3"),
        ("groups.trio.members", "ce", "config: groups.trio.members: needs a list ([ce]), found 'ce'"),
        ("figures.reliability.kind", "pie", "config: figures.reliability.kind: 'pie' is not a kind. Choices: risk-"),
        ("figures.reliability.kind", None, "config: figures.reliability.kind: this key is missing; add it"),
        (
            "recipes.short.optimizer.method",
            "adam",
            "config: recipes.short.optimizer.method: 'adam' is not a method; did you mean 'adamw'? "
            "Choices: sgd, adamw, muon",
        ),
        (
            "recipes.short.precision",
            "fp16",
            "precision: 'fp16' is not a choice here. Choices: auto, bfloat16, float32",
        ),
        ("datasets.fashion-mnist-12k.channels", 2, "'2' is not a choice here. Choices: 1, 3"),
        (
            "hypotheses.kd-ranks-better.metric",
            "aurcc",
            "'aurcc' is not a metric with an interval; did you mean 'aurc'?",
        ),
        ("hypotheses.kd-ranks-better.score", "mps", "'mps' is not a choice here; did you mean 'msp'?"),
        (
            "networks.r",
            {"family": "timm", "name": "ResNet50"},
            "name: 'ResNet50' cannot stand here; did you mean 'resnet5",
        ),
        ("segmenters.unet.architecture", "UNet", "'UNet' is not a choice here; did you mean 'Unet'? "),
        ("segmenters.unet.architecture", "fpn", "'fpn' is not a choice here; did you mean 'FPN'? "),
        (
            "hypotheses.kd-ranks-better.than",
            "kd",
            "kd-ranks-better.than: 'kd' is what is to be better too; name another",
        ),
        ("studies.distillation.arms", ["kd", "kd"], "config: studies.distillation.arms: kd is given twice; remove one"),
        (
            "studies.distillation.arms",
            ["ce", "kd"],
            "distillation.arms: 'ce' is the study's reference too; name another",
        ),
        ("hypotheses.kd-ranks-better.statement", " ", "kd-ranks-better.statement: is empty; write it down"),
        ("studies.distillation.question", "", "config: studies.distillation.question: is empty; write it down"),
        (
            "recipes.short.crop",
            {"min_area": 0.1, "max_aspect": 1.3},
            "config: recipes.short.shift_px: 1; crop takes its place: set it to 0, or crop to null",
        ),
    ],
)
def test_a_fault_names_its_key_and_a_remedy(config, place, value, expected):
    assert expected in fault(put(config, place, value))


def test_sizes_of_objects_need_the_truth(config):
    config["figures"]["sizes"] = SIZES
    load_study(config)
    config["datasets"]["fashion-mnist-12k"]["mask_truth"] = "none"
    expected = "config: figures.sizes: sizes of objects need datasets.fashion-mnist-12k.mask_truth; set it"
    assert fault(config) == expected


@pytest.mark.parametrize("name", ["Big Net", "a_b", "-a", "a--b", "x" * 61, "a;rm"])
def test_names_are_safe_in_paths_and_shells(config, name):
    config["baselines"][name] = config["baselines"]["ce"]
    assert fault(config).startswith(f"config: baselines.{name}: ")


def test_a_circle_of_teachers_is_told_in_full(config):
    student = config["students"]["kd"]
    config["students"] |= {"a": {**student, "teacher": "b"}, "b": {**student, "teacher": "a"}}
    config["students"]["c"] = {**student, "teacher": "b"}  # above it is a circle, of which it is no part
    assert fault(config) == "config: students.a.teacher: circular (a -> b -> a); let one of them learn from labels"


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


def test_crops_are_of_images_that_stay_in_files(config):
    config["recipes"]["short"] |= {"shift_px": 0, "crop": {"min_area": 0.1, "max_aspect": 1.3}}
    assert fault(config) == (
        "config: recipes.short.crop: is for images that stay in files, and those of 'fashion-mnist-12k' are arrays; "
        "use shift_px"
    )
    config["recipes"] = {"short": {**config["recipes"]["short"], "crop": None}, "other": config["recipes"]["short"]}
    load_study(config)  # no model has that recipe


def test_masks_need_images_in_memory(config):
    config["datasets"]["fashion-mnist-12k"] |= {"source": "folder:photos", "storage": "files"}
    place = "config: datasets.fashion-mnist-12k.storage: files, and"
    remedy = "needs images in memory; use arrays, or set to null what needs them"
    assert fault(config) == f"{place} the segmenter 'unet' {remedy}"
    config["augmented"]["mask-cutmix"] |= {"segmenter": None, "masks": "given"}
    config["segmenters"], config["figures"] = {}, {}
    assert fault(config) == f"{place} the given masks of 'mask-cutmix' {remedy}"
    config["augmented"]["mask-cutmix"] = config["augmented"]["cutmix"]
    figure = {"kind": "mixed-labels", "study": "mask-cutmix", "dataset": "fashion-mnist-12k", "models": ["cutmix"]}
    config["figures"]["labels"] = figure | {"style": {"width_mm": 80, "height_mm": 60}}
    assert fault(config) == f"{place} the figure 'labels' {remedy}"


@pytest.mark.parametrize("source", ["embedded:fashion-mnist-12k", "cifar10"])
def test_masks_that_a_data_set_does_not_have_are_not_given(config, source):
    dataset = config["datasets"]["fashion-mnist-12k"]
    dataset |= {"source": source, "mask_truth": "given"}
    told = f"given, but {source} comes without masks; remove it"
    assert fault(config) == f"config: datasets.fashion-mnist-12k.mask_truth: {told}"
    dataset["mask_truth"] = "nonzero-pixels"
    config["augmented"]["mask-cutmix"] |= {"segmenter": None, "masks": "given"}
    assert fault(config) == f"config: augmented.mask-cutmix.masks: {told}"
    dataset["source"] = "embedded:fashion-scenes"
    load_study(config)


def test_segmenters_that_learn_from_each_others_models_are_a_circle(config):
    unet, mixed = config["segmenters"]["unet"], config["augmented"]["mask-cutmix"]
    config["segmenters"] = {"unet": unet | {"teacher": "two"}, "other": unet | {"teacher": "mask-cutmix"}}
    config["augmented"]["two"] = mixed | {"segmenter": "other"}
    told = faults(config)
    assert told and all("circular" in line for line in told)


@pytest.mark.parametrize("section", ["enhancers", "protocols"])
@pytest.mark.parametrize("name", ["clean", "oracle-selector", "best-member"])
def test_names_of_what_stands_beside_variants_are_taken(config, section, name):
    config[section][name] = next(iter(config[section].values()))
    assert fault(config).startswith(f"config: {section}.{name}: '{name}' ")


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
    config["students"]["kd"]["loss"]["temperature"] = 4.0
    assert canonical(load_study(config).model_settings("kd")) == canonical(study.model_settings("kd"))


def test_a_models_settings_hold_its_network_and_recipe_and_nothing_of_others(config):
    settings = load_study(config).model_settings("kd")
    assert settings["network"]["widths"] == config["networks"]["convnet-small"]["widths"]
    assert settings["recipe"]["epochs"] == config["recipes"]["short"]["epochs"]
    assert set(settings) == {"network", "recipe", "loss", "answers", "teacher_view", "top_k"}


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
        ("coverage-at-sac-9.9.9", "msp", "test", "kd-ranks-better.metric: 'coverage-at-sac-9.9.9' is not a metric"),
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


@pytest.mark.parametrize("method", ["oracle", "ace"])
def test_what_reads_the_labels_contends_with_none(config, method):
    own = ACE | {"method": method, "epsilon_255": [2] if method == "oracle" else 2}
    config["enhancers"]["bound"] = own
    config["studies"]["enhancers"]["arms"].append("ce/bound")
    hypothesis = config["hypotheses"]["odin-beats-placebo"]
    hypothesis["than"] = "ce/bound"
    assert load_study(config).bounds() == ["ce/bound"]
    told = "'ce/bound' reads the true labels, so it is a bound, no contender; name another"
    hypothesis |= {"better": "ce/bound", "than": "ce/random-sign"}
    assert fault(config) == f"config: hypotheses.odin-beats-placebo.better: {told}"
    hypothesis["better"] = "ce/odin"
    config["studies"]["enhancers"] |= {"reference": "ce/bound", "arms": ["ce/odin"]}
    assert fault(config) == f"config: studies.enhancers.reference: {told}"


def test_examples_are_of_what_changes_images(config):
    config["enhancers"]["short"] = LOGISTIC
    config["figures"]["enhancement-examples"]["enhancers"].append("short")
    assert fault(config) == "config: figures.enhancement-examples.enhancers: 'short' changes no image; remove it"


def test_one_way_asks_its_sender_and_its_listener_alone(config):
    config["protocols"]["down"] = ONE_WAY
    config["groups"]["trio"]["protocols"].append("down")
    study = load_study(config)
    assert study.speakers("trio", "down") == ["ce", "kd"]
    assert study.speakers("trio", "persuasion") == study.speakers("trio", "mean-logit") == ["ce", "cutmix", "kd"]

"""What holds between entries of the config, and what jobs are given of it."""

import re
from itertools import product

import pytest
from copies import ROOT
from wrong_configs import ACE, LOGISTIC, ONE_WAY, SIZES, check_message, fault, faults, put

from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.provenance import canonical
from selfdoubt.settings import sent_messages, timm_names
from selfdoubt.settings.attacks import attacked_arms
from selfdoubt.settings.files import check_files
from selfdoubt.settings.study import load_study, parse_arm


def test_sizes_of_objects_need_the_truth(config):
    config["figures"]["sizes"] = SIZES
    load_study(config)
    config["datasets"]["fashion-mnist-12k"]["mask_truth"] = "none"
    expected = "config: figures.sizes: sizes of objects need datasets.fashion-mnist-12k.mask_truth; set it"
    check_message(fault(config), expected)


def test_a_circle_of_teachers_is_reported_in_full(config):
    student = config["students"]["kd"]
    config["students"] |= {"a": {**student, "teacher": "b"}, "b": {**student, "teacher": "a"}}
    config["students"]["c"] = {**student, "teacher": "b"}  # above it is a circle, of which it is no part
    assert fault(config).startswith("config: students.a.teacher: circular (a -> b -> a)")


def test_the_study_without_models_states_it(config):
    models = ("teachers", "baselines", "students", "augmented", "pretrained", "segmenters")
    config |= {section: {} for section in (*models, "enhancers", "groups", "studies", "hypotheses", "figures")}
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
    def check_missing(place: str) -> None:
        with pytest.raises(UserError, match=re.escape(f"config: {place}.weights: {weights} is missing; put the file")):
            check_files(load_study(config), ROOT / "resources")
        weights.touch()
        check_files(load_study(config), ROOT / "resources")
        weights.unlink()

    weights = tmp_path / "w.pth"
    config["networks"]["r"] = {"family": "timm", "name": "resnet18", "weights": str(weights)}
    check_files(load_study(config), ROOT / "resources")  # no model has this network
    config["baselines"]["ce"]["network"] = "r"
    check_missing("networks.r")
    config["baselines"]["ce"]["network"] = "convnet-small"
    config["pretrained"]["p"] = {"name": "resnet18", "weights": str(weights)}
    check_missing("pretrained.p")


RESNET20 = {"family": "resnet-cifar", "depth": 20, "weights": "w.th", "mean": [0.5], "deviation": [0.25]}


def test_a_pretrained_model_is_of_timm_or_of_a_family_that_takes_weights(config):
    wide = {"family": "wide-resnet", "widen_factor": 2, "depth": 16}
    config["pretrained"] = {"t": {"name": "resnet18"}, "r": RESNET20, "w": RESNET20 | wide}
    study = load_study(config)
    families = [study.families_of(name) for name in ("t", "r", "w")]
    assert families == [(f"models.families.{name}",) for name in ("timm", "resnet_cifar", "wide_resnet")]
    settings = study.model_settings("r")["network"]
    assert settings["mean"] == [0.5] and settings["shortcuts"] == "padding" and "w.th" not in str(settings)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"mean": [0.5, 0.5]}, "deviation"),
        ({"mean": [125.3], "deviation": [63.0]}, "mean.0"),
        ({"mean": None}, "mean"),
        ({"weights": None}, "weights"),
        ({"family": "convnet"}, "family"),
        ({"family": "timm", "name": "resnet18", "weights": None, "weights_key": "ema"}, "weights_key"),
    ],
)
def test_keys_of_weights_fit_together(config, change, key):
    given = {name: value for name, value in (RESNET20 | change).items() if value is not None}
    if "name" in given:
        given = {name: given[name] for name in ("family", "name", "weights_key")}
    config["pretrained"] = {"r": given}
    assert faults(config)[0].startswith(f"config: pretrained.r.{key}: ")


def test_names_that_timm_lacks_are_found_before_any_job(config, tmp_path):
    places = {"networks": {"family": "timm"}, "pretrained": {}}
    for section, more in places.items():
        for name in ("swsl_resnet18", "resnet1"):
            known, config[section] = config[section], config[section] | {"r": more | {"name": name}}
            with pytest.raises(UserError, match=rf"^config: {section}.r.name: .*'{name}'"):
                check_files(load_study(config), ROOT / "resources")
            config[section] = known
    config["segmenters"]["unet"]["encoder"] = "tu-resnet1"
    with pytest.raises(UserError, match=r"^config: segmenters.unet.encoder: .*'resnet1'"):
        check_files(load_study(config), ROOT / "resources")


def test_the_names_are_those_that_timm_has():
    import timm

    networks, renamed = timm_names._names()
    assert networks == set(timm.list_models()) and "swsl_resnet18" in renamed
    assert all(timm_names.fault_of(name) is None for name in renamed.values())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "data"),
        ({"pretrained": True}, "pretrained"),
        ({"weights": "w.pth"}, "pretrained"),
        ({"weights": "w.pth", "input_px": "data"}, "data"),
    ],
)
def test_images_have_the_size_that_weights_were_trained_for_unless_it_is_given(config, given, expected):
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


def test_masks_need_images_in_memory(config):
    config["datasets"]["fashion-mnist-12k"] |= {"source": "folder:photos", "storage": "files"}
    place = "datasets.fashion-mnist-12k.storage: "
    check_message(fault(config), f"{place} 'unet'")
    config["augmented"]["mask-cutmix"] |= {"segmenter": None, "masks": "given"}
    config["segmenters"], config["figures"] = {}, {}
    check_message(fault(config), f"{place} 'mask-cutmix'")
    config["augmented"]["mask-cutmix"] = config["augmented"]["cutmix"]
    figure = {"kind": "mixed-labels", "study": "mask-cutmix", "dataset": "fashion-mnist-12k", "models": ["cutmix"]}
    config["figures"]["labels"] = figure | {"style": {"width_mm": 80, "height_mm": 60}}
    check_message(fault(config), f"{place} 'labels'")
    config["figures"]["labels"] |= {"kind": "mixed-examples", "n_images": 2}
    check_message(fault(config), "figures.labels: datasets.fashion-mnist-12k.storage")


@pytest.mark.parametrize("source", ["embedded:fashion-mnist-12k", "cifar10"])
def test_masks_that_a_data_set_does_not_have_are_not_given(config, source):
    dataset = config["datasets"]["fashion-mnist-12k"]
    dataset |= {"source": source, "mask_truth": "given"}
    assert fault(config).startswith("config: datasets.fashion-mnist-12k.mask_truth: given, but")
    dataset["mask_truth"] = "nonzero-pixels"
    config["augmented"]["mask-cutmix"] |= {"segmenter": None, "masks": "given"}
    assert fault(config).startswith("config: augmented.mask-cutmix.masks: given, but")
    dataset["source"] = "fashion-scenes"
    load_study(config)


def test_true_masks_are_those_of_the_data_set_where_they_are_known(config):
    mixed = config["augmented"]["mask-cutmix"]
    known = config["datasets"]["fashion-mnist-12k"] | {"corruptions": None, "ood": []}
    config["datasets"] |= {
        "scenes": known | {"source": "fashion-scenes", "mask_truth": "given"},
        "photos": known | {"source": "cifar10", "mask_truth": "none"},
    }
    config["comparisons"] = [each for each in config["comparisons"] if each["split"] == "test"]
    mixed |= {"masks": "truth"}
    study = load_study(config)
    assert [study.masks_on(name, "mask-cutmix") for name in study.datasets] == ["nonzero-pixels", "given", None]
    assert [study.segmenter_on(name, "mask-cutmix") for name in study.datasets] == [None, None, "unet"]
    mixed["segmenter"] = None
    check_message(fault(config), "augmented.mask-cutmix.masks: 'photos'")
    del config["datasets"]["photos"]
    load_study(config)


def test_new_backgrounds_need_masks(config):
    dataset = config["datasets"]["fashion-mnist-12k"]
    dataset["shifted"] = {"new": "new-backgrounds"}
    check_message(fault(config), "datasets.fashion-mnist-12k.shifted.new: masks")
    dataset |= {"source": "fashion-scenes", "mask_truth": "given"}
    dataset["corruptions"]["names"] = ["jpeg"]
    load_study(config)


def test_segmenters_that_learn_from_each_others_models_are_a_circle(config):
    unet, mixed = config["segmenters"]["unet"], config["augmented"]["mask-cutmix"]
    config["segmenters"] = {"unet": unet | {"teacher": "two"}, "other": unet | {"teacher": "mask-cutmix"}}
    config["augmented"]["two"] = mixed | {"segmenter": "other"}
    messages = faults(config)
    assert messages and all("circular" in line for line in messages)


def test_names_of_what_stands_beside_variants_are_taken(config):
    for section, name in product(("enhancers", "protocols"), ("clean", "oracle-selector", "best-member")):
        config[section][name] = next(iter(config[section].values()))
        assert fault(config).startswith(f"config: {section}.{name}: '{name}' ")
        del config[section][name]


def test_what_is_not_trained_is_there_for_the_first_replicate_alone(config):
    config["pretrained"] = {"p": {"name": "resnet18"}, "q": {"name": "resnet34"}}
    config["groups"]["old"] = {"members": ["p", "q"], "protocols": ["mean-probability"]}
    config["groups"]["mixed"] = {"members": ["p", "ce"], "protocols": ["mean-probability"]}
    study = load_study(config)
    assert study.replicates_of("p") == study.replicates_of("old") == [1]
    assert study.replicates_of("ce") == study.replicates_of("mixed") == [1, 2, 3]
    assert [study.replicate_of("p", replicate) for replicate in (1, "2", 3)] == [1, 1, 1]
    assert [study.replicate_of("mixed", replicate) for replicate in (1, "2", 3)] == [1, 2, 3]
    assert study.role("p") == "pretrained"


def test_a_teacher_of_masks_that_serve_all_replicates_is_there_for_one(config):
    config["baselines"]["of-masks"] = config["baselines"]["ce"] | {"label": "of masks"}
    config["segmenters"]["unet"] |= {"teacher": "of-masks", "teacher_replicate": 2}
    assert load_study(config).replicates_of("of-masks") == [2]
    assert load_study(config).replicates_of("ce") == [1, 2, 3]
    config["segmenters"]["other"] = config["segmenters"]["unet"] | {"teacher_replicate": 3}
    assert load_study(config).replicates_of("of-masks") == [2, 3]
    assert [load_study(config).replicate_of("of-masks", replicate) for replicate in (1, 2, 3)] == [2, 2, 3]
    config["segmenters"]["other"] |= {"teacher_replicate": None}
    assert load_study(config).replicates_of("of-masks") == [1, 2, 3]


@pytest.mark.parametrize(
    "need",
    [
        ("studies", "distillation", {"arms": ["kd", "of-masks"]}),
        ("students", "kd", {"teacher": "of-masks"}),
        ("groups", "trio", {"members": ["ce", "kd", "of-masks"]}),
        ("enhancers", "odin", {"models": ["ce", "of-masks"]}),
        ("figures", "risk-coverage", {"arms": ["ce", "of-masks"]}),
    ],
)
def test_a_teacher_of_masks_that_something_else_needs_is_there_for_every_replicate(config, need):
    section, key, changed = need
    config["baselines"]["of-masks"] = config["baselines"]["ce"] | {"label": "of masks"}
    config["segmenters"]["unet"] |= {"teacher": "of-masks", "teacher_replicate": 2}
    config[section][key] |= changed
    assert load_study(config).replicates_of("of-masks") == [1, 2, 3]


def test_equal_meaning_gives_equal_settings(config):
    study = load_study(config)
    config["recipes"]["short"] = dict(reversed(config["recipes"]["short"].items()))
    config["students"]["kd"]["loss"]["temperature"] = 4.0
    assert canonical(load_study(config).model_settings("kd")) == canonical(study.model_settings("kd"))


def test_a_models_settings_hold_its_network_and_recipe_and_nothing_of_others(config):
    settings = load_study(config).model_settings("kd")
    assert settings["network"]["widths"] == config["networks"]["convnet-small"]["widths"]
    assert settings["recipe"]["epochs"] == config["recipes"]["short"]["epochs"]
    assert set(settings) == {"network", "recipe", "loss", "target_transform", "teacher_view", "top_k"}


def test_arms():
    assert parse_arm("ce") == ("ce", "clean")
    assert parse_arm("ce/odin") == ("ce", "odin")


def test_the_metrics_that_can_be_compared_are_those_that_have_an_interval(config):
    from selfdoubt.evaluation.metrics_table import metric_names
    from selfdoubt.settings.metrics import metric

    settings = load_study(config).evaluation
    hypothesis = config["hypotheses"]["kd-ranks-better"]
    kinds = ("accuracy", "ranking", "calibration", "ood", "class-ood", "failure")
    for kind, name in [(each, name) for each in kinds for name in metric_names(each, settings)]:
        place = {"score": "none" if kind == "accuracy" else "msp", "split": "test"}
        place |= {"split": "ood-digits"} if kind in ("ood", "class-ood", "failure") else {}
        put(config, "hypotheses.kd-ranks-better", {**hypothesis, "metric": name, **place})
        if metric(name).resampled:
            load_study(config)
        else:
            assert "kd-ranks-better.metric" in fault(config)


@pytest.mark.parametrize("key", ["selective_accuracies_percent", "coverages_percent", "ood_mixed_percent"])
def test_a_percentage_given_twice_is_refused(config, key):
    config["evaluation"][key] = [90, 90.0]
    assert f"evaluation.{key}: 90.0 is given twice" in fault(config)


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


@pytest.mark.parametrize("method", ["oracle", "ace"])
def test_what_reads_the_labels_contends_with_none(config, method):
    own = ACE | {"method": method, "epsilon_255": [2] if method == "oracle" else 2}
    config["enhancers"]["bound"] = own
    config["studies"]["enhancers"]["arms"].append("ce/bound")
    hypothesis = config["hypotheses"]["odin-beats-placebo"]
    hypothesis["than"] = "ce/bound"
    assert load_study(config).upper_bounds() == ["ce/bound"]
    hypothesis |= {"better": "ce/bound", "than": "ce/random-sign"}
    assert fault(config).startswith("config: hypotheses.odin-beats-placebo.better: 'ce/bound' reads the true labels")
    hypothesis["better"] = "ce/odin"
    config["studies"]["enhancers"] |= {"reference": "ce/bound", "arms": ["ce/odin"]}
    assert fault(config).startswith("config: studies.enhancers.reference: 'ce/bound' reads the true labels")


@pytest.mark.parametrize(
    ("masks", "truth", "bounds"),
    [
        ("given", "given", ["mask-cutmix"]),
        ("truth", "given", ["mask-cutmix"]),
        ("truth", "nonzero-pixels", ["mask-cutmix"]),
        ("given", "nonzero-pixels", []),  # the masks that came with the images are not those called true
        ("truth", "none", []),  # a segmenter's, then
        (None, "given", []),
    ],
)
def test_what_mixes_by_true_masks_is_an_upper_bound_that_claims_may_name(config, masks, truth, bounds):
    config["datasets"]["fashion-mnist-12k"] |= {"source": "fashion-scenes:fashion-mnist", "mask_truth": truth}
    config["augmented"]["mask-cutmix"] |= {"masks": masks} | ({"segmenter": None} if masks == "given" else {})
    study = load_study(config)
    assert study.upper_bounds() == bounds and study.hypotheses["masks-mend-cutmix"].better == "mask-cutmix"


def test_an_arm_is_not_tested_on_the_ood_set_that_it_is_tuned_on(config):
    config["enhancers"]["odin"]["tune_on"] = "ood-digits"
    del config["comparisons"][4]
    study = load_study(config)
    assert [study.tuned_on(arm) for arm in ("ce/odin", "kd/odin", "ce/random-sign", "ce")] == [
        "ood-digits",
        *[None] * 3,
    ]
    hypothesis = config["hypotheses"]["odin-beats-placebo"]
    hypothesis |= {"metric": "ood-auroc", "split": "ood-digits"}
    assert fault(config).startswith("config: hypotheses.odin-beats-placebo.split: 'ood-digits', but 'ce/odin' is tuned")
    hypothesis |= {"better": "ce/random-sign", "than": "ce"}
    load_study(config)  # others are tested on it


def test_an_attacked_arm_is_not_shown_on_val_where_it_is_not_attacked(config):
    config["enhancers"]["ace"] = ACE
    for name in ("odin", "random-sign"):
        config["enhancers"][name] |= {"attacked_by": "ace", "models": ["ce"]}
    config["comparisons"].append({"metric": "aurc", "score": "msp", "split": "val"})
    study = load_study(config)  # comparisons leave it out
    assert attacked_arms(study) == ["ce/odin", "ce/random-sign"]
    config["enhancers"]["ace"] = ACE | {"shifted": True}  # which images it is evaluated on changes no attack
    assert load_study(config).enhancers["ace"].as_attack() == study.enhancers["ace"].as_attack()
    config["figures"]["reliability"] |= {"split": "val", "arms": ["ce", "ce/odin"]}
    expected = (
        "config: figures.reliability.split: 'val', but 'ce/odin' is attacked on every split but val; name another"
    )
    assert fault(config).startswith(expected)
    config["figures"]["reliability"]["arms"] = ["ce", "ce/ace"]
    config["hypotheses"]["odin-beats-placebo"]["no_loss"] = [{"metric": "accuracy", "split": "val"}]
    assert fault(config).startswith("config: hypotheses.odin-beats-placebo.split: 'val', but 'ce/odin' is attacked")


def test_examples_are_of_what_changes_images(config):
    config["enhancers"]["short"] = LOGISTIC
    config["figures"]["enhancement-examples"]["enhancers"].append("short")
    assert fault(config).startswith("config: figures.enhancement-examples.enhancers: 'short'")


def test_one_way_runs_its_sender_and_its_listener_alone(config):
    config["protocols"]["down"] = ONE_WAY
    config["groups"]["trio"]["protocols"].append("down")
    study = load_study(config)
    assert study.predicting_members("trio", "down") == ["ce", "kd"]
    assert (
        study.predicting_members("trio", "persuasion")
        == study.predicting_members("trio", "mean-logit")
        == ["ce", "cutmix", "kd"]
    )


def test_an_entry_may_have_a_label_of_its_own_on_which_no_job_depends(config):
    before = load_study(config)
    config["students"]["kd"]["label"], config["enhancers"]["odin"]["label"] = "KD, τ = 4", "ODIN"
    config["groups"]["trio"]["label"], config["labels"] = "Three", {"trio/persuasion": "talk"}
    study = load_study(config)
    arms = ("kd", "ce/odin", "trio/mean-logit", "trio/persuasion")
    assert [study.label(arm) for arm in arms] == ["KD, τ = 4", "ce/ODIN", "Three/mean-logit", "talk"]
    assert study.model_settings("kd") == before.model_settings("kd")
    assert study.enhancers["odin"].model_dump() == before.enhancers["odin"].model_dump()


def test_a_message_may_have_keys_of_its_own(config, monkeypatch):
    class Momentous(sent_messages.MESSAGES["gradient"]):
        momentum: float = 0.5

    monkeypatch.setitem(sent_messages.MESSAGES, "gradient", Momentous)
    protocol = config["protocols"]["persuasion"]
    assert load_study(config).protocols["persuasion"].model_dump()["momentum"] == 0.5
    protocol["momentum"] = 0.9
    assert load_study(config).protocols["persuasion"].model_dump()["momentum"] == 0.9
    for key, value in (("momentun", 0.9), ("momentum", "much")):
        config["protocols"]["persuasion"] = {**protocol, "momentum": 0.5, key: value}
        with pytest.raises(UserError, match="momentum"):
            load_study(config)

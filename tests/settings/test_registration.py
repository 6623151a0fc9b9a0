"""What a registration holds: all on which the verdicts depend but the code, and nothing that is only shown."""

import copy
import json
import subprocess
from types import SimpleNamespace

import pytest

from register import evaluated_before, run
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.registered import differences, read_registration
from selfdoubt.settings.registration import registration
from selfdoubt.settings.study import load_study


def registered(config: dict) -> dict:
    return registration(load_study(copy.deepcopy(config)))


def changed(config: dict, change) -> list[str]:
    before = registered(config)
    change(config)
    after = registered(config)
    assert (before["digest"] == after["digest"]) == (before == after)
    return differences(before, after)


CLAIM, STUDY = "hypotheses.kd-ranks-better", "studies.distillation"


@pytest.mark.parametrize(
    ("change", "keys"),
    [
        (lambda c: c["hypotheses"]["kd-ranks-better"].update(margin=0.001), [f"{CLAIM}.margin"]),
        (lambda c: c["hypotheses"]["kd-ranks-better"].update(primary=True), [f"{CLAIM}.primary"]),
        (lambda c: c["hypotheses"].pop("kd-ranks-better"), [CLAIM]),
        (lambda c: c["replicates"].append(9), ["replicates"]),
        (lambda c: c["studies"]["distillation"].update(rounds=3), [f"{STUDY}.rounds", f"{STUDY}.round"]),
        (lambda c: c["recipes"]["short"].update(epochs=5), ["recipes.short.epochs"]),
        (lambda c: c["networks"]["convnet-medium"].update(widths=[1, 2, 3]), ["networks.convnet-medium.widths"]),
        (lambda c: c["enhancers"]["odin"].update(temperature=[2]), ["enhancers.odin.temperature"]),
        (lambda c: c["protocols"]["persuasion"].update(epsilon_255=4), ["protocols.persuasion.epsilon_255"]),
        (lambda c: c["segmenters"]["unet"].update(epochs=2), ["segmenters.unet.epochs"]),
        (lambda c: c["evaluation"].update(n_resamples=500), ["evaluation.n_resamples"]),
        (lambda c: c["ood_sets"].update(more=copy.deepcopy(c["ood_sets"]["digits"])), ["ood_sets.more"]),
        (lambda c: c.update(soft_labels={"top_k": 3}), ["soft_labels.top_k"]),
        (
            lambda c: c["hypotheses"]["kd-ranks-better"].update(metric="auroc"),
            [f"{CLAIM}.metric", "defaults.margins.auroc"],
        ),
        (lambda c: c["baselines"].update(other=c["baselines"]["ce"]), []),  # an arm of no claim and no study
        (lambda c: c["baselines"]["ce"].update(label="CE"), []),
        (lambda c: c["comparisons"].pop(), []),
        (lambda c: c["figures"].pop("reliability"), []),
    ],
)
def test_it_changes_with_what_decides_and_with_nothing_else(config, change, keys):
    assert changed(config, change) == keys


def test_models_and_enhancers_by_which_an_arm_is_made_belong_to_it(config):
    first, text = config["baselines"]["ce"], config["studies"]["enhancers"]
    config["baselines"]["base"] = dict(first)  # that no arm names
    adversarial = {"method": "adversarial", "epsilon_255": 8, "n_steps": 2, "step_255": 5}
    config["robust"] = {"moved": {**first, "fine_tuned_from": "base", "techniques": [adversarial]}}
    config["enhancers"] |= {
        "attack": {"method": "ace", "models": ["moved"], "epsilon_255": 1, "n_halvings": 2},
        "attacked": config["enhancers"]["random-sign"] | {"models": ["moved"], "attacked_by": "attack"},
    }
    text["arms"] += ["moved", "moved/attacked"]
    before = registered(config)
    config["baselines"]["base"]["label_smoothing"] = 0.3
    config["enhancers"]["attack"]["epsilon_255"] = 8
    assert differences(before, registered(config)) == ["enhancers.attack.epsilon_255", "models.base.label_smoothing"]


def test_a_network_that_an_enhancer_describes_itself_belongs_to_it(config):
    unet = {"architecture": "Unet", "encoder": "tu-regnetx_002", "encoder_depth": 2, "decoder_channels": [8, 4]}
    deep = {"method": "deep", "models": ["ce"], "epsilon_255": [8], "confidence_weight": [1], "network": unet}
    config["enhancers"]["deep"] = deep | {"epochs": 2, "batch_size": 64, "learning_rate": 0.003, "n_folds": 2}
    config["studies"]["enhancers"]["arms"].append("ce/deep")
    before = registered(config)
    unet["decoder_channels"] = [16, 8]
    assert all("network.decoder_channels" in key for key in differences(before, registered(config)))
    assert differences(before, registered(config))


def test_passes_with_dropout_belong_to_it_if_a_claim_needs_them(config):
    config["networks"]["convnet-small"] = {"family": "wide-resnet", "depth": 10, "widen_factor": 1, "dropout": 0.1}
    config["evaluation"] |= {"scores": [*config["evaluation"]["scores"], "mc-dropout"], "mc_dropout_passes": 5}
    without = registered(config)
    config["hypotheses"]["kd-ranks-better"]["score"] = "mc-dropout"
    assert "mc_dropout_passes" not in without["evaluation"]
    before = registered(config)
    config["evaluation"]["mc_dropout_passes"] = 50
    assert differences(before, registered(config)) == ["evaluation.mc_dropout_passes"]


def test_it_is_what_a_file_gives_back(config):
    written = registered(config)
    assert differences(json.loads(json.dumps(written)), written) == []


def test_files_of_earlier_versions_say_nothing_of_what_they_lack(config):
    present = registered(config)
    earlier = {key: value for key, value in present.items() if key not in ("ood_sets", "soft_labels", "defaults")}
    assert differences(earlier, present) == []
    assert differences({**earlier, "ood_sets": {}}, present) == [f"ood_sets.{key}" for key in present["ood_sets"]]


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_file_that_is_no_registration_is_refused(tmp_path, content):
    path = tmp_path / "config.registered.json"
    path.write_text(content)
    with pytest.raises(UserError, match="is no registration"):
        read_registration(path)


def test_it_says_what_was_evaluated_before(tmp_path, config):
    present = registered(config)
    metrics = tmp_path / "metrics"
    assert evaluated_before(metrics, present) == 0
    number = present["replicates"][0]
    for name in (
        "fashion-mnist/ce/replicate-{}/clean",
        "d/trio/replicate-{}/x",
        "d/none/replicate-{}/x",
        "d/ce/replicate-99/x",
    ):
        path = metrics / f"{name.format(number)}.parquet"
        path.parent.mkdir(parents=True)
        path.touch()
    assert evaluated_before(metrics, present) == 2


def test_it_holds_no_path_of_a_machine(config, tmp_path):
    here = {**config, "datasets": {**config["datasets"], "own": {"source": "parquet:{data_folder}/own"}}}
    one, other = (registered({**here, "data_folder": str(tmp_path / name)}) for name in "ab")
    assert one == other
    assert one["datasets"]["own"]["source"] == "parquet:{data_folder}/own"


def test_register_keeps_a_record_of_the_committed_round_before(tmp_path, config):
    path, git = tmp_path / "study.registered.json", ["git", "-C", str(tmp_path), "-c", "user.name=a"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    config["studies"] = {"distillation": config["studies"]["distillation"] | {"rounds": 2}}
    for section in ("hypotheses", "manipulation_checks"):
        config[section] = {k: c for k, c in config.get(section, {}).items() if c["study"] == "distillation"}
    config["figures"] = {}

    def register(round_: int) -> dict:
        config["studies"]["distillation"]["round"] = round_
        config["replicates"] = {"from": 10 * round_ + 1, "n": 3}
        config["segmenters"] = {k: s | {"teacher_replicate": None} for k, s in config["segmenters"].items()}
        settings = {"file": str(path), "registered": registered(config), "metrics": str(tmp_path / "metrics")}
        run(SimpleNamespace(metadata={"settings": settings}))
        return json.loads(path.read_text())

    first = register(1)
    with pytest.raises(UserError, match="commit it first"):
        register(2)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "-c", "user.email=a@b", "commit", "--quiet", "-m", "registered"], check=True)
    (earlier,) = register(2)["earlier"]
    assert earlier["digest"] == first["digest"] and earlier["replicates"] == [11, 12, 13]
    assert " of 20" in earlier["commit"]

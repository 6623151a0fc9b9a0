"""Networks that others trained: one that is only evaluated, and one that is trained on."""

import hashlib
import json
import os
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import timm
import torch
from helpers import assert_close
from small_data import load_splits
from small_training import BASELINE, CPU, RECIPE, SCRIPTS, files_of, split_of, train

from selfdoubt.data import datasets
from selfdoubt.models import checkpoints, classifier, inference
from selfdoubt.runtime import cli, table_files

torch.set_num_threads(1)
NETWORK = {"family": "timm", "name": "test_resnet", "pretrained": False, "patch_px": 4, "input_px": "data"}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Those of a network of three classes, by the number of its channels."""
    path = tmp_path_factory.mktemp("weights") / "a.pth"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(timm.create_model("test_resnet", num_classes=3).state_dict(), path)
    return path


def run(name: str, *argv: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *argv])
        patch.setattr(cli, "_die_with_parent", lambda: None)  # it would tie the tests to their shell
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")


def import_model(folder, weights, network: dict = NETWORK):
    files = files_of(folder)
    settings = json.dumps({"network": network})
    argv = [f"--train={files['train']}", f"--checkpoint={files['checkpoint']}", f"--settings={settings}"]
    run("import_model", *argv, "--weights", *([str(weights)] if weights else []))
    return files["checkpoint"]


def test_a_checkpoint_is_made_that_predicts_as_any_other(tmp_path, weights):
    path = import_model(tmp_path, weights)
    tensors, metadata = checkpoints.read(path)
    assert metadata["weights"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert metadata["shape"] == {"channels": 1, "size_px": 16, "n_classes": 3}
    assert str(weights.parent) not in json.dumps(metadata)
    assert torch.equal(tensors["body.fc.weight"], torch.load(weights, weights_only=True)["fc.weight"])
    datasets.write_splits(tmp_path / "test", {"test": split_of(5)}, {})
    out = tmp_path / "p.parquet"
    files = [f"--checkpoint={path}", f"--val={tmp_path / 'val'}", f"--test={tmp_path / 'test'}", f"--output={out}"]
    run("predict", *files, "--replicate=1", '--settings={"mc_dropout_passes": null}')
    logits = table_files.read_table(out)["logits"].combine_chunks().flatten().to_numpy().reshape(-1, 3)
    expected = inference.predict_logits(checkpoints.load_model(path, CPU), split_of(5).images)
    assert logits[-5:] == pytest.approx(expected, abs=1e-5)


def test_two_imports_give_equal_bytes(tmp_path, weights):
    contents = [import_model(tmp_path / name, weights).read_bytes() for name in ("a", "b")]
    assert contents[0] == contents[1]


def test_a_head_of_other_classes_is_one_line(tmp_path, weights):
    state = torch.load(weights, weights_only=True) | {"fc.weight": torch.zeros(4, 96), "fc.bias": torch.zeros(4)}
    torch.save(state, tmp_path / "b.pth")
    with pytest.raises(SystemExit, match=r"^import_model: .*b\.pth: has a head of 4 classes, and the data have 3; .*$"):
        import_model(tmp_path / "c", tmp_path / "b.pth")
    assert not (tmp_path / "c/a.safetensors").exists()


def test_training_starts_from_the_weights_of_a_file(tmp_path, weights):
    still = {**RECIPE, "epochs": 1, "optimizer": {**RECIPE["optimizer"], "learning_rate": 1e-12}}
    settings = {**BASELINE, "network": NETWORK, "recipe": still}
    tensors, metadata = checkpoints.read(train(tmp_path, settings=settings, weights=weights))
    theirs = torch.load(weights, weights_only=True)
    assert_close(tensors["body.layer1.0.conv1.weight"], theirs["layer1.0.conv1.weight"])
    assert tensors["mean"].item() == 0.5  # timm's config of the network, and not the images'
    assert metadata["weights"] == hashlib.sha256(weights.read_bytes()).hexdigest()


# ---- residual networks of small images, as other programs save them ----

KEYS = {"mean": [0.4], "deviation": [0.2]}
PARTS = {  # by family and layout: what other programs call our modules, outside of blocks and in them
    ("resnet-cifar", "akamaster"): (
        {"stem.0": "conv1", "stem.1": "bn1", "head": "linear", "stages": "layer{}"},
        {"norm1": "bn1", "norm2": "bn2", "shortcut.0": "shortcut.0", "shortcut.1": "shortcut.1"},
    ),
    ("resnet-cifar", "chenyaofo"): (
        {"stem.0": "conv1", "stem.1": "bn1", "head": "fc", "stages": "layer{}"},
        {"norm1": "bn1", "norm2": "bn2", "shortcut.0": "downsample.0", "shortcut.1": "downsample.1"},
    ),
    ("wide-resnet", "xternalz"): (
        {"stem": "conv1", "last.0": "bn1", "head": "fc", "stages": "block{}.layer"},
        {"norm1": "bn1", "norm2": "bn2", "shortcut": "convShortcut"},
    ),
    ("wide-resnet", "layers"): (
        {"stem": "conv1", "last.0": "bn1", "head": "linear", "stages": "layer{}"},
        {"norm1": "bn1", "norm2": "bn2", "shortcut": "shortcut.0"},
    ),
}


def small(of: str, **changes) -> dict:
    own = {"depth": 8, "shortcuts": "projection"} if of == "resnet-cifar" else {"depth": 10, "widen_factor": 2}
    return {"family": of, **own, "dropout": 0.0, **KEYS, **changes}


def trained(network: dict, n_classes: int = 3):
    model = classifier.build_model(SimpleNamespace(**network), n_classes, 1, 16, seed=3)
    with torch.no_grad():
        model.train()(torch.rand(8, 1, 16, 16))  # moves the running statistics
    return model.eval()


def as_theirs(state: dict, outside: dict, inside: dict) -> dict:
    found = {}
    for name, tensor in state.items():
        module, _, leaf = name.rpartition(".")
        if name.startswith("stages."):
            _, stage, block, part = module.split(".", 3)
            module = f"{outside['stages'].format(int(stage) + 1)}.{block}.{inside.get(part, part)}"
        else:
            module = outside[module]
        if leaf != "num_batches_tracked":  # which older files lack
            found[f"module.{module}.{leaf}"] = tensor
    return found


@pytest.mark.parametrize(("family", "layout"), PARTS)
def test_residual_networks_of_other_programs_answer_as_there(tmp_path, family, layout):
    network = small(family)
    model = trained(network)
    theirs = as_theirs(model.body.state_dict(), *PARTS[family, layout])
    torch.save({"state_dict": theirs, "best_prec1": 91.0}, tmp_path / "w.th")
    path = import_model(tmp_path, tmp_path / "w.th", network)
    again, pixels = checkpoints.load_model(path, CPU), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        assert_close(again(pixels), model.body((pixels - 0.4) / 0.2))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"depth": 14}, "stages of 1, 1, 1 blocks, expected 2, 2, 2"),
        ({"shortcuts": "padding"}, "shortcuts: padding .*it has stages.1.0.shortcut.0.weight too"),
        ({"family": "wide-resnet", "depth": 10, "widen_factor": 1}, "does not fit wide-resnet of depth 10"),
        ({"mean": [0.4] * 3, "deviation": [0.2] * 3}, "are of 3 channels, and the images have 1"),
        ({"weights_key": "ema"}, "has no state dict 'ema'"),
    ],
)
def test_settings_that_do_not_fit_a_file_are_one_line(tmp_path, changes, words):
    torch.save({"state_dict": trained(small("resnet-cifar")).body.state_dict()}, tmp_path / "w.th")
    with pytest.raises(SystemExit, match=rf"^import_model: .*{words}.*$"):
        import_model(tmp_path, tmp_path / "w.th", small("resnet-cifar", **changes))


def test_a_head_of_other_classes_is_one_line_for_residual_networks_too(tmp_path):
    torch.save(trained(small("resnet-cifar"), n_classes=4).body.state_dict(), tmp_path / "w.th")
    with pytest.raises(SystemExit, match=r"has a head of 4 classes, and the data have 3"):
        import_model(tmp_path, tmp_path / "w.th", small("resnet-cifar"))


PUBLISHED = [("resnet20-12fca82f", 91.5), ("resnet32-d509ac18", 92.8)]
PUBLISHED += [("resnet44-014dd654", 93.3), ("resnet56-4bfd9763", 92.6)]


@pytest.mark.skipif("SELFDOUBT_DATA" not in os.environ, reason="SELFDOUBT_DATA names no folder of published weights")
@pytest.mark.parametrize(("name", "percent"), PUBLISHED)
def test_published_networks_have_their_accuracy(name, percent):
    folder = Path(os.environ["SELFDOUBT_DATA"])
    test = load_splits(f"parquet:{folder / 'cifar10-part'}")["test"]
    network = small("resnet-cifar", depth=int(name[6:8]), shortcuts="padding-around")
    network |= {"mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]}
    weights = folder / f"resnet-cifar10-weights/{name}.th"
    model = classifier.build_model(SimpleNamespace(**network), 10, 3, 32, weights=weights, keep_head=True).eval()
    correct = inference.predict_logits(model, test.images).argmax(1) == test.labels
    assert 100 * correct.mean() == pytest.approx(percent) and len(correct) == 1000

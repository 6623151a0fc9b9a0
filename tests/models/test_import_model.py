"""Networks that others trained: one that is only evaluated, and one that is trained on."""

import hashlib
import json
import runpy
import sys

import pytest
import timm
import torch
from helpers import assert_close
from small_training import BASELINE, CPU, RECIPE, SCRIPTS, files_of, split_of, train

from selfdoubt.data import datasets
from selfdoubt.models import checkpoints, inference
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

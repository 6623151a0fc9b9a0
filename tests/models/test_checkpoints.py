"""A checkpoint builds the same model again, or fails with one line."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from selfdoubt.data import datasets
from selfdoubt.models import checkpoints, classifier
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError

torch.set_num_threads(1)
CPU = torch.device("cpu")
NETWORK = {"family": "convnet", "widths": [2, 3, 4]}
SHAPE = {"channels": 1, "size_px": 16, "n_classes": 3}
METADATA = {"settings": {"network": NETWORK, "recipe": {"threads": 1}}, "shape": SHAPE, "code": "abc", "seed": 1}
IMAGES = torch.rand(4, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def fitted(seed: int = 1) -> classifier.Classifier:
    model = classifier.build_model(SimpleNamespace(**NETWORK), seed=seed, **SHAPE)
    model.fit_input(IMAGES)
    for _ in range(20):
        model.train()(IMAGES)  # moves the running statistics of batch normalisation
    return model.to(memory_format=torch.channels_last).eval()


def save(folder: Path, metadata: dict = METADATA) -> Path:
    checkpoints.save(folder / "a.safetensors", fitted(), metadata)
    return folder / "a.safetensors"


def test_a_loaded_model_gives_the_same_logits(tmp_path):
    loaded = checkpoints.load_model(save(tmp_path), CPU)
    assert torch.equal(loaded(IMAGES), fitted()(IMAGES))
    assert not torch.equal(loaded(IMAGES), fitted(seed=2)(IMAGES))
    assert not any(module.training for module in loaded.modules())


def test_parameters_buffers_and_metadata_survive_a_file(tmp_path):
    tensors, metadata = checkpoints.read(save(tmp_path))
    expected = fitted().state_dict()
    assert metadata == METADATA
    assert tensors.keys() == expected.keys() and {"mean", "std", "body.whitening.weight"} < tensors.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in expected.items())


def test_the_layout_of_weights_in_memory_leaves_no_trace(tmp_path):
    strided, plain = fitted(), fitted().to(memory_format=torch.contiguous_format)
    assert not all(weight.is_contiguous() for weight in strided.parameters())
    for name, model in (("strided", strided), ("plain", plain)):
        checkpoints.save(tmp_path / name, model, METADATA)
    assert (tmp_path / "strided").read_bytes() == (tmp_path / "plain").read_bytes()


def test_the_header_holds_our_metadata_and_a_checksum_as_sorted_json(tmp_path):
    with safe_open(save(tmp_path, {"seed": 1, "code": "abc"}), "pt") as file:
        found = file.metadata()
    number = json.loads(found["selfdoubt"])["crc32"]
    assert found == {"selfdoubt": f'{{"code": "abc", "crc32": {number}, "seed": 1}}'}


def test_who_may_read_other_files_may_read_a_checkpoint(tmp_path):
    other = tmp_path / "other"
    other.touch()
    assert save(tmp_path).stat().st_mode == other.stat().st_mode


def test_a_checkpoint_in_which_a_bit_has_changed_is_named(tmp_path):
    path = save(tmp_path)
    content = bytearray(path.read_bytes())
    content[-9] ^= 4  # of a weight: the header is as it was
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.safetensors: not the weights that were written: the checksum differs"):
        checkpoints.load_model(path, CPU)


def test_pretrained_weights_are_not_fetched_for_a_checkpoint(tmp_path, monkeypatch):
    asked, model = [], fitted()
    network = {"family": "timm", "name": "resnet10t", "pretrained": True, "patch_px": 4, "input_px": "data"}
    path = save(tmp_path, METADATA | {"settings": {"network": network}})
    monkeypatch.setattr(classifier, "build_model", lambda network, **_: asked.append(network) or model)
    checkpoints.load_model(path, CPU)
    assert [each.pretrained for each in asked] == [False]


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(UserError, match=r"a\.safetensors: no such file; run snakemake to make it"):
        checkpoints.load_model(tmp_path / "a.safetensors", CPU)


@pytest.mark.parametrize("kept", [0, 1, 7, 100, 2000, -1])
def test_a_truncated_checkpoint_is_named_in_one_line(tmp_path, kept):
    path = save(tmp_path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"a\.safetensors: not a whole file of weights .*; delete it") as fault:
        checkpoints.load_model(path, CPU)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_foreign_checkpoint_is_named(tmp_path, metadata):
    save_file({"weight": torch.zeros(3)}, tmp_path / "a.safetensors", metadata)
    with pytest.raises(UserError, match=r"a\.safetensors: not weights of this project"):
        checkpoints.load_model(tmp_path / "a.safetensors", CPU)


def test_a_file_of_images_is_not_taken_for_a_checkpoint(tmp_path):
    split = datasets.Split(np.zeros((2, 1, 4, 4), np.uint8), np.zeros(2, np.int64), np.zeros(2, np.int32))
    datasets.write_splits(tmp_path / "a.safetensors", {"test": split}, {"settings": {}, "code": "abc"})
    with pytest.raises(UserError, match=r"a\.safetensors: "):
        checkpoints.load_model(tmp_path / "a.safetensors", CPU)


def test_a_failing_save_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = save(tmp_path)

    def full_disk(state, where, metadata):
        where.write_bytes(b"half")
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(tensor_files, "save_file", full_disk)
    with pytest.raises(UserError, match=r"a\.safetensors: the disk is full; make room and run again"):
        save(tmp_path)
    assert torch.equal(checkpoints.load_model(path, CPU)(IMAGES), fitted()(IMAGES))
    assert list(tmp_path.iterdir()) == [path]

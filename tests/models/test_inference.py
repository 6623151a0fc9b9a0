"""Logits of whole splits, in batches, and the uncertainty of stochastic passes."""

import weakref
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import predict
from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.models import checkpoints, inference
from selfdoubt.models.inference import (
    as_pixels,
    batch_size_of,
    has_dropout,
    mc_dropout,
    predict_logits,
)

torch.set_num_threads(1)
CPU = torch.device("cpu")
DRAWS = np.random.default_rng(0)
IMAGES = DRAWS.integers(0, 256, (11, 3, 4, 4), np.uint8)


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 2))


def test_pixels_by_hand():
    pixels = as_pixels(np.array([0, 51, 255, 1], np.uint8).reshape(1, 1, 2, 2), CPU)
    assert pixels.dtype == torch.float32
    assert pixels.flatten().tolist() == pytest.approx([0, 51 / 255, 1, 1 / 255])


def test_pixels_are_a_copy_with_channels_last_in_memory():
    images = IMAGES.copy()
    images.flags.writeable = False  # as of a memory-mapped file
    pixels = as_pixels(images, CPU)
    assert pixels.shape == IMAGES.shape and pixels.is_contiguous(memory_format=torch.channels_last)
    pixels.zero_()
    np.testing.assert_array_equal(images, IMAGES)


def test_logits_are_those_of_the_model_in_evaluation_mode():
    model = network().train()
    logits = predict_logits(model, IMAGES)
    assert logits.shape == (11, 2) and logits.dtype == np.float32
    expected = network().eval()(torch.from_numpy(IMAGES / 255).float()).detach()
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    np.testing.assert_array_equal(model[0].running_mean, np.zeros(3))  # prediction is not training


@pytest.mark.parametrize("values", [1, 48 * 3, 48 * 11])
def test_logits_do_not_depend_on_the_batch_size(monkeypatch, values):
    whole = predict_logits(network(), IMAGES)
    monkeypatch.setattr(inference, "BATCH_VALUES", values)
    np.testing.assert_allclose(predict_logits(network(), IMAGES), whole, atol=1e-6)


@pytest.mark.parametrize(("shape", "size"), [((9, 1, 28, 28), 500), ((9, 3, 224, 224), 27), ((9, 3, 4096, 4096), 1)])
def test_larger_images_come_in_smaller_batches(shape, size):
    assert batch_size_of(SimpleNamespace(shape=shape)) == size  # 2**22 values at most, but one image at least


def test_what_a_model_resizes_images_to_counts():
    small, resized = SimpleNamespace(shape=(9, 3, 32, 32)), SimpleNamespace(input_pixels=224 * 224)
    assert batch_size_of(small, network()) == 500 and batch_size_of(small, network(), resized) == 27


# ---- dropout ----


def dropping(p: float) -> torch.nn.Module:
    """A network whose one hidden unit is the first pixel, and is dropped with probability p."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(IMAGES[0].size, 1), torch.nn.Dropout(p))
    model.append(torch.nn.Linear(1, 2))
    torch.nn.init.constant_(model[1].bias, 1.0)
    return model


def test_only_a_network_that_drops_something_has_dropout():
    assert has_dropout(dropping(0.5)) and has_dropout(network())
    assert not has_dropout(dropping(0.0))


def test_the_entropy_is_that_of_the_mean_over_passes():
    model, n = dropping(0.5), 4000
    found = mc_dropout(model, IMAGES[:2], n, seed=1)
    assert not model.training and not model[2].training
    with torch.no_grad():
        hidden = model[1](model[0](torch.from_numpy(IMAGES[:2] / 255).float()))
        # Half of the passes drop the unit, the other half double it.
        both = [model[3](hidden * scale).double().softmax(-1) for scale in (0.0, 2.0)]
    mean = (both[0] + both[1]).numpy() / 2
    np.testing.assert_allclose(found, (mean * np.log(mean)).sum(-1), atol=0.01)


def test_all_but_dropout_is_in_evaluation_mode():
    model = network()
    mc_dropout(model, IMAGES, 2, seed=1)
    np.testing.assert_array_equal(model[0].running_mean, np.zeros(3))  # the norm has seen no batch


def test_dropout_is_drawn_from_the_seed():
    first, again, other = (mc_dropout(dropping(0.5), IMAGES, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_predict_holds_the_images_of_one_file_at_a_time(monkeypatch, tmp_path):
    """A file of corrupted images has several splits; of each file read before, no image is left in memory."""
    paths = ["val", "test", "ood-a", "ood-b", "fog", "snow"]
    alive, read = [], []

    def read_splits(path):
        assert not [images for images in alive if images() is not None], path
        read.append(path)
        names = [f"{path}-1", f"{path}-3"] if path in ("fog", "snow") else [path]
        found = {name: Split(IMAGES.copy(), np.zeros(11, np.int64), np.arange(11, dtype=np.int32)) for name in names}
        alive.extend(weakref.ref(split.images) for split in found.values())
        return found

    monkeypatch.setattr(datasets, "read_splits", read_splits)
    monkeypatch.setattr(checkpoints, "load_model", lambda *_: network())
    monkeypatch.setattr(predict.computing, "prepare", lambda _: CPU)
    files = {"val": "val", "test": "test", "ood": paths[2:4], "shifted": paths[4:]}
    settings = SimpleNamespace(mc_dropout_passes=2)
    others = {"checkpoint": "", "settings": settings, "replicate": 1, "metadata": {}}
    predict.run(SimpleNamespace(**files, **others, output=tmp_path / "a.parquet"))
    assert read == paths and len(alive) == 8 and (tmp_path / "a.parquet").exists()

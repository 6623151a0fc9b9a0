"""Logits of whole splits, and the table that they are written to."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from selfdoubt.data.datasets import Split
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.models.inference import (
    as_pixels,
    batch_size_of,
    has_dropout,
    mc_dropout,
    predict_logits,
    write_predictions,
)
from selfdoubt.runtime import schemas

torch.set_num_threads(1)
CPU = torch.device("cpu")
DRAWS = np.random.default_rng(0)
IMAGES = DRAWS.integers(0, 256, (11, 3, 4, 4), np.uint8)


def network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 2))


def split_of(n: int, label: int, first_id: int) -> SimpleNamespace:
    return Split(IMAGES[:n], np.full(n, label), np.arange(first_id, first_id + n, dtype=np.int32))


SPLITS = {"val": split_of(3, 1, 10), "test": split_of(2, 0, 0), "ood-digits": split_of(4, -1, 7)}
LOGITS = {name: DRAWS.normal(size=(len(split.labels), 2)).astype(np.float32) for name, split in SPLITS.items()}


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
    np.testing.assert_array_equal(model[0].running_mean, np.zeros(3))  # asking is not training


@pytest.mark.parametrize("batch_size", [1, 3, 11, 500])
def test_logits_do_not_depend_on_the_batch_size(batch_size):
    np.testing.assert_allclose(
        predict_logits(network(), IMAGES, batch_size), predict_logits(network(), IMAGES), atol=1e-6
    )


def test_a_row_per_image_split_after_split(tmp_path):
    write_predictions(tmp_path / "a.parquet", SPLITS, LOGITS, metadata={"code": "abc"})
    table = schemas.read_table(tmp_path / "a.parquet")
    assert table["split"].to_pylist() == ["val"] * 3 + ["test"] * 2 + ["ood-digits"] * 4
    assert table["image_id"].to_pylist() == [10, 11, 12, 0, 1, 7, 8, 9, 10]
    assert table["label"].to_pylist() == [1, 1, 1, 0, 0, -1, -1, -1, -1]
    assert table.column_names == schemas.predictions_schema(2).names
    assert schemas.read_metadata(tmp_path / "a.parquet") == {"code": "abc"}


def test_logits_are_read_as_they_were_written(tmp_path):
    shuffled = dict(reversed(LOGITS.items()))  # the order of the splits is that of `splits`
    write_predictions(tmp_path / "a.parquet", SPLITS, shuffled)
    read = predictions_by_split(schemas.read_table(tmp_path / "a.parquet"))
    assert list(read) == list(SPLITS)
    for name, found in read.items():
        np.testing.assert_array_equal(found.logits, LOGITS[name])


def test_a_variants_own_columns_stand_beside_the_logits(tmp_path):
    predicted = {name: np.arange(len(split.labels)) % 2 for name, split in reversed(SPLITS.items())}
    gain = {name: np.arange(len(split.labels)) / 8 for name, split in SPLITS.items()}
    write_predictions(tmp_path / "a.parquet", SPLITS, LOGITS, {"predicted": predicted, "confidence_gain": gain})
    table = schemas.read_table(tmp_path / "a.parquet")
    assert table["predicted"].to_pylist() == [0, 1, 0, 0, 1, 0, 1, 0, 1]
    assert table["confidence_gain"].to_pylist() == [0, 1 / 8, 2 / 8, 0, 1 / 8, 0, 1 / 8, 2 / 8, 3 / 8]
    read = predictions_by_split(table)["val"]
    assert read.correct.tolist() == [False, True, False]  # label 1, reported 0, 1, 0


def test_equal_answers_give_equal_bytes(tmp_path):
    for name in "ab":
        write_predictions(tmp_path / name, SPLITS, LOGITS, metadata={"seed": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(("shape", "size"), [((9, 1, 28, 28), 500), ((9, 3, 224, 224), 27), ((9, 3, 4096, 4096), 1)])
def test_larger_images_come_in_smaller_batches(shape, size):
    assert batch_size_of(SimpleNamespace(shape=shape)) == size  # 2**22 values at most, but one image at least


def test_what_a_model_resizes_images_to_counts():
    small, resized = SimpleNamespace(shape=(9, 3, 32, 32)), SimpleNamespace(input_pixels=224 * 224)
    assert batch_size_of(small, network()) == 500 and batch_size_of(small, network(), resized) == 27


def test_the_classes_of_ood_images_become_a_column(tmp_path):
    digits = replace(SPLITS["ood-digits"], ood_classes=np.array([3, 1, 4, 1]))
    write_predictions(tmp_path / "a.parquet", SPLITS | {"ood-digits": digits}, LOGITS)
    table = schemas.read_table(tmp_path / "a.parquet")
    assert table["ood_class"].to_pylist() == [-1] * 5 + [3, 1, 4, 1]
    assert predictions_by_split(table)["ood-digits"].ood_classes.tolist() == [3, 1, 4, 1]


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


def test_all_but_dropout_is_asked_in_evaluation_mode():
    model = network()
    mc_dropout(model, IMAGES, 2, seed=1)
    np.testing.assert_array_equal(model[0].running_mean, np.zeros(3))  # the norm has seen no batch


def test_dropout_is_drawn_from_the_seed():
    first, again, other = (mc_dropout(dropping(0.5), IMAGES, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()

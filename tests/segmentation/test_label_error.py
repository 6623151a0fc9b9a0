"""Labels of mixed images against what can be seen in them."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from small_mixing import BY_MASKS, SETTINGS, settings_of
from small_training import CPU, recipe_of, run_script

from selfdoubt.data import datasets, masks
from selfdoubt.data.datasets import Split
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.mixed_labels import MIXED_LABELS_SCHEMA
from selfdoubt.segmentation import label_error
from selfdoubt.training.batches import Stream

STILL = SimpleNamespace(shift_px=0, crop=None, flip=False)


def blocks(n: int = 40, size_px: int = 12) -> np.ndarray:
    """A block of 4 x 5 pixels in each image, at any place."""
    found, draws = np.zeros((n, size_px, size_px), bool), np.random.default_rng(0)
    for mask in found:
        top, left = draws.integers(0, size_px - 5, 2)
        mask[top : top + 4, left : left + 5] = True
    return found


def split(n: int = 40) -> Split:
    images = np.random.default_rng(1).integers(0, 256, (n, 3, 12, 12), np.uint8)
    return Split(images, np.arange(n), np.arange(n, dtype=np.int32), masks=blocks(n))


def measured(method: str, truth=True, found=None, **values) -> dict[str, float]:
    own = blocks() if found is None else found
    mixer = Mixer(settings_of(method, probability=1.0, **values), own if method in BY_MASKS else None)
    rows = label_error.measure(split(), blocks() if truth else None, mixer, STILL, 1)
    assert {row["n"] for row in rows} == {40}
    return {row["statistic"]: row["value"] for row in rows}


@pytest.mark.parametrize("method", SETTINGS)
def test_weights_are_those_of_training(method):
    own = blocks() if method in BY_MASKS else None
    recipe = recipe_of(shift_px=0, flip=False, batch_size=40)
    [batch] = Stream(split(), recipe, 1, CPU, Mixer(settings_of(method, probability=1.0), own)).epoch(0)
    found = measured(method)
    assert found["weight-mean"] == pytest.approx(batch.weight.double().mean().item())
    assert found["weight-sd"] == pytest.approx(batch.weight.double().std(correction=0).item())


@pytest.mark.parametrize("method", ["oa-cutmix", "mask-cutmix"])
def test_labels_by_true_masks_have_no_error(method):
    found = measured(method)
    assert found["label-error"] == pytest.approx(0, abs=1e-6)
    assert found["ghost-labels"] <= found["nothing-visible"]  # one half of each where nothing is seen


def test_cutmix_is_what_a_loop_counts():
    # Every pixel of an image is its label, so that a mixed image shows which pixels are whose.
    ids = np.broadcast_to(np.arange(40, dtype=np.uint8)[:, None, None, None], (40, 1, 12, 12))
    flat = Split(ids.copy(), np.arange(40), np.arange(40, dtype=np.int32))
    recipe = recipe_of(shift_px=0, flip=False, batch_size=40)
    [batch] = Stream(flat, recipe, 1, CPU, Mixer(settings_of("cutmix", probability=1.0))).epoch(0)
    errors, ghosts = [], 0
    for pixels, a, b, weight in zip(batch.images, batch.labels, batch.other_labels, batch.weight, strict=True):
        whose = (pixels[0] * 255).round().long().numpy()
        target, source = (int((blocks()[i] & (whose == i.item())).sum()) for i in (a, b))
        if target + source:
            errors.append(abs(weight.item() - target / (target + source)))
        ghosts += (target == 0 and weight > 0) or (source == 0 and weight < 1)
    assert (batch.labels != batch.other_labels).all()
    found = measured("cutmix")
    assert found["label-error"] == pytest.approx(np.mean(errors), abs=1e-6)
    assert found["ghost-labels"] == pytest.approx(ghosts / 40)


def test_even_blends_of_equal_objects_err_by_nothing():
    assert measured("mixup") | {"weight-sd": 0, "weight-mean": 0} == {
        "weight-mean": 0,
        "weight-sd": 0,
        "label-error": pytest.approx(0, abs=1e-6),
        "ghost-labels": 0,
        "nothing-visible": 0,
    }


def test_saliency_looks_at_the_image_alone():
    # On flat images nothing stands out but by rounding, so that a further channel would decide.
    flat = dataclasses.replace(split(), images=np.full((40, 3, 12, 12), 77, np.uint8))
    mixer, recipe = (
        Mixer(settings_of("saliency-mix", probability=1.0)),
        recipe_of(shift_px=0, flip=False, batch_size=40),
    )
    [batch] = Stream(flat, recipe, 1, CPU, mixer).epoch(0)
    found = label_error.measure(flat, blocks(), mixer, STILL, 1)
    assert found[0]["value"] == pytest.approx(batch.weight.double().mean().item())


def test_without_truth_there_is_a_reason_and_still_the_weight():
    rows = label_error.measure(split(), None, Mixer(settings_of("cutmix")), STILL, 1)
    reasons = {row["statistic"]: row["reason"] for row in rows}
    assert reasons["weight-mean"] is None and reasons["label-error"] == "the true masks are not known"


def test_without_mixed_images_there_is_a_reason():
    rows = label_error.measure(split(), blocks(), Mixer(settings_of("cutmix", probability=0.0)), STILL, 1)
    assert {(row["value"], row["n"], row["reason"]) for row in rows} == {(None, 0, "no image is mixed")}


def test_images_in_files_are_refused(tmp_path):
    images = ImageFiles(tmp_path, ["a.png"], 3, 12)
    with pytest.raises(UserError, match="mixed-labels: needs images in memory"):
        label_error.measure(dataclasses.replace(split(1), images=images), None, None, None, 1)


def test_pairs_with_a_doubtful_mask_are_not_among_the_mixed_images():
    doubtful = np.arange(40) % 4 == 0
    mixer = Mixer(settings_of("oa-cutmix", probability=1.0), blocks(), doubtful)
    drawn = mixer.draw(1, 0, (40, 12, 12))
    expected = ~doubtful & ~doubtful[drawn.partner]
    assert drawn.mixed.tolist() == expected.tolist() and 0 < expected.sum() < 30
    assert {row["n"] for row in label_error.measure(split(), blocks(), mixer, STILL, 1)} == {expected.sum()}
    [batch] = Stream(split(), recipe_of(shift_px=0, flip=False, batch_size=40), 1, CPU, mixer).epoch(0)
    unmixed = ~expected[batch.positions]
    assert (batch.images * 255).round()[unmixed].numpy().astype(int).tolist() == (
        split().images[batch.positions[unmixed]].astype(int).tolist()
    )
    assert (batch.weight[unmixed] == 1).all() and (batch.weight[~unmixed] < 1).any()


def test_the_script_takes_masks_as_training_does(tmp_path):
    datasets.write_splits(tmp_path / "train", {"train": split()}, {})
    masks.write_masks(tmp_path / "masks", ~blocks(), {})
    settings = {"mixing": vars(settings_of("oa-cutmix", mask_control="none", probability=1.0)), "mask_truth": "given"}
    settings |= {"shift_px": 0, "crop": None, "flip": False}
    for name, own, files in (("given", "given", {}), ("found", None, {"masks": tmp_path / "masks"})):
        files |= {"train": tmp_path / "train", "output": tmp_path / f"{name}.parquet"}
        run_script("measure_mixing", 1, settings | {"masks": own}, **files)
    tables = {
        name: table_files.read_table(tmp_path / f"{name}.parquet", MIXED_LABELS_SCHEMA).to_pylist()
        for name in ("given", "found")
    }
    errors = {name: rows[2]["value"] for name, rows in tables.items()}
    assert errors["given"] == pytest.approx(0, abs=1e-6) and errors["found"] > 0.05
    assert errors["found"] == pytest.approx(measured("oa-cutmix", found=~blocks())["label-error"])

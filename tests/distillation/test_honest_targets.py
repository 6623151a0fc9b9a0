"""Held-out targets: of each image those of the teachers that did not train on it; and targets of several views."""

from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from helpers import assert_close
from small_training import BASELINE, CPU, NETWORK, RECIPE, SGD, STUDENT, recipe_of, run_script, split_of, train

from selfdoubt.data.folds import parts_of
from selfdoubt.distillation import teachers
from selfdoubt.models import checkpoints, inference
from selfdoubt.training.batches import Stream

PARTS, DIVISIONS = 3, 2
VIEWS = ("epochs", "batch_size", "shift_px", "crop", "flip", "n_workers", "precision", "device", "threads")
HELD_OUT = {"targets": "held-out"}


@pytest.fixture(scope="module")
def members(tmp_path_factory) -> list[Path]:
    """Folds of two divisions into three parts, which have learned enough to differ."""
    folder, network = tmp_path_factory.mktemp("folds"), NETWORK | {"widths": [8, 8, 8]}
    recipe = RECIPE | {"epochs": 16, "optimizer": SGD | {"learning_rate": 0.5, "momentum": 0.5}}
    settings = BASELINE | {"network": network, "recipe": recipe}
    found = []
    for i, (division, part) in enumerate(product(range(1, DIVISIONS + 1), range(1, PARTS + 1)), start=1):
        fold = {"parts": PARTS, "division": division, "part": part}
        found.append(train(folder, f"fold-{i}", settings=settings | {"twin": i, "fold": fold}))
    return found


def asked(members, **settings) -> teachers.Teachers:
    job = {"train": members[0].parent / "train", "teacher": members, "replicate": 1}
    return teachers.of_job(SimpleNamespace(**job, settings=SimpleNamespace(top_k=None, **settings)), CPU, "float32")


def test_a_fold_is_trained_as_if_there_were_no_other_images(members, tmp_path):
    """The normalisation, too, is that of its images."""
    labels = split_of().labels
    images = split_of().images[parts_of(labels, 1, PARTS, 1) != 2] / 255
    assert checkpoints.read(members[1])[0]["mean"].item() == pytest.approx(images.mean(), abs=1e-6)


def test_a_held_out_target_is_the_mean_of_the_members_that_did_not_see_the_image(members):
    stream, labels = Stream(split_of(), recipe_of(), 1, CPU), split_of().labels
    models = [checkpoints.load_model(path, CPU) for path in members]
    divided = [parts_of(labels, 1, PARTS, division) for division in range(1, DIVISIONS + 1)]
    for batch in stream.epoch(0):
        with torch.no_grad():
            of_models = torch.stack([model(batch.images) for model in models]).softmax(-1)  # (members, b, K)
        found, whole = asked(members, **HELD_OUT).exact(batch), asked(members, targets="all").exact(batch)
        for row, image in enumerate(batch.positions.tolist()):
            unseeing = [divided[0][image] - 1, PARTS + divided[1][image] - 1]  # the member of its part in each division
            own = of_models[unseeing, row]
            assert_close(found.logits[row].exp(), own.mean(0), rtol=1e-4, atol=1e-6)
            entropy = torch.special.entr(own).sum(-1).mean()
            expected = torch.special.entr(own.mean(0)).sum() - entropy
            assert_close(found.mutual_information[row], expected, rtol=1e-3, atol=1e-6)
        assert_close(whole.logits.exp(), of_models.mean(0), rtol=1e-4, atol=1e-6)
        assert (found.logits.exp() - whole.logits.exp()).abs().max() > 0.01
        assert found.mutual_information.max() > 0.001


def test_of_one_division_each_image_has_one_teacher(members):
    batch = next(Stream(split_of(), recipe_of(), 1, CPU).epoch(0))
    found = asked(members[:PARTS], **HELD_OUT).exact(batch)
    parts = parts_of(split_of().labels, 1, PARTS, 1)[batch.positions]
    with torch.no_grad():
        logits = [checkpoints.load_model(path, CPU)(batch.images) for path in members[:PARTS]]
    expected = torch.stack([logits[part - 1][row] for row, part in enumerate(parts)])
    assert_close(found.logits, expected, rtol=1e-4, atol=1e-5)
    assert found.mutual_information is None


def test_a_teacher_that_has_seen_all_images_holds_nothing_out(members, tmp_path):
    whole = train(tmp_path, "whole")
    with pytest.raises(SystemExit, match=r"^distill_student: .*whole\.safetensors: the model has trained on all"):
        settings = STUDENT | HELD_OUT
        train(tmp_path, "student", settings=settings, script="distill_student", teacher=[*members[:3], whole])


def test_targets_are_of_further_views_of_the_same_images(members):
    model = checkpoints.load_model(members[0], CPU)
    one, three = (Stream(split_of(), recipe_of(shift_px=2), 1, CPU, n_views=n) for n in (1, 3))
    for batch, own in zip(three.epoch(1), one.epoch(1), strict=True):
        assert torch.equal(batch.images, own.images) and len(batch.further) == 2 and own.further == ()
        with torch.no_grad():
            views = torch.stack([model(images).softmax(1) for images in (batch.images, *batch.further)])
        assert_close(asked(members[:1]).exact(batch).logits.exp(), views.mean(0), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "top_k"),
    [(HELD_OUT, 2), ({"teacher_views": 3}, None), (HELD_OUT | {"teacher_views": 2}, None), ({"fold": True}, None)],
)
def test_a_student_of_stored_targets_equals_one_of_the_teachers_to_the_last_bit(members, tmp_path, settings, top_k):
    if "fold" in settings:  # a student that is a fold, too
        settings = HELD_OUT | {"fold": {"parts": 4, "division": 1, "part": 2}, "twin": 2}
    views = {name: RECIPE[name] for name in VIEWS} | {"top_k": top_k, "max_gb": None} | settings
    given = {"train": members[0].parent / "train", "teacher": members}
    run_script("precompute_soft_labels", 1, views, output=tmp_path / "a.arrow", **given)
    run_script("precompute_soft_labels", 1, views | {"max_gb": 1e-9}, output=tmp_path / "refused", **given)
    options = {"settings": STUDENT | {"top_k": top_k} | settings, "script": "distill_student", "teacher": members}
    asking = train(tmp_path, "asking", **options)
    for path in ("a.arrow", "refused"):
        reading = train(tmp_path, f"reading-{path}", **options, soft_labels=tmp_path / path)
        assert asking.read_bytes() == reading.read_bytes(), path
    plain = train(tmp_path, "plain", **options | {"settings": STUDENT | {"top_k": top_k}})
    heads = [checkpoints.read(path)[0]["body.head.weight"] for path in (asking, plain)]
    assert not torch.equal(*heads)


def test_a_fixed_view_is_held_out_too(members, monkeypatch):
    split = split_of()
    monkeypatch.setattr(inference, "LARGEST_BATCH", 7)  # of 20 images
    fixed = asked(members, **HELD_OUT).fixed(split.images, CPU)
    still = Stream(split, recipe_of(shift_px=0, flip=False), 1, CPU)
    for batch in still.epoch(0):
        expected = asked(members, **HELD_OUT).targets(batch)
        assert_close(fixed.targets(batch).logits, expected.logits, rtol=0, atol=2e-3)

"""A teacher's stored logits are those that it would compute, to the last bit of the stored precision."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_training import BASELINE, CPU, NETWORK, STUDENT, model_of, recipe_of, run_script, split_of, train

from selfdoubt.distillation import soft_labels
from selfdoubt.distillation.soft_labels import SoftLabels, Targets, compress, expand
from selfdoubt.distillation.teachers import Teachers
from selfdoubt.models import checkpoints
from selfdoubt.runtime.errors import UserError
from selfdoubt.training.batches import Stream
from selfdoubt.training.distributed import Ranks

VIEWS = {"epochs": 2, "batch_size": 8, "shift_px": 1, "flip": True, "precision": "float32", "device": "cpu"}
VIEWS |= {"crop": None, "n_workers": 0}
VIEWS |= {"threads": 1, "top_k": None, "max_gb": None}
STREAM = Stream(split_of(), recipe_of(), 1, CPU)
LOGITS = 5 * torch.randn(6, 10, generator=torch.Generator().manual_seed(0))


def written(path, top_k=None, stream=STREAM, metadata=None):
    soft_labels.write(path, Teachers([model_of()], "float32", top_k), stream, 2, metadata or {})
    return path


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(soft_labels, "_CHUNK", 6)  # batches of 8, 8 and 4 rows lie across chunks and epochs


# ---- compression ----


def test_all_classes_are_kept_in_half_precision():
    assert_close(expand(compress(Targets(LOGITS), None), 10).logits, LOGITS.half().float(), rtol=0, atol=0)
    assert compress(Targets(LOGITS), 10).keys() == {"logits"}  # as many as there are


@pytest.mark.parametrize("top_k", [1, 3, 9])
def test_the_most_probable_classes_are_kept_and_the_rest_is_spread_evenly(top_k):
    full = expand(compress(Targets(LOGITS), top_k), 10).logits
    best = LOGITS.topk(top_k).indices
    assert_close(full.gather(1, best), LOGITS.half().float().gather(1, best), rtol=0, atol=0)
    before, after = LOGITS.softmax(1), full.softmax(1)
    assert_close(after.gather(1, best).sum(1), before.gather(1, best).sum(1), rtol=0, atol=5e-3)
    others = torch.ones_like(full, dtype=torch.bool).scatter(1, best, False)
    rest = full[others].view(6, -1)
    assert torch.equal(rest, rest[:, :1].expand_as(rest))


# ---- files ----


@pytest.mark.parametrize("top_k", [None, 2])
@pytest.mark.parametrize(("rank", "n_ranks"), [(0, 1), (1, 2)])
def test_a_file_stands_for_its_teacher(tmp_path, top_k, rank, n_ranks):
    labels, teacher = SoftLabels(written(tmp_path / "a", top_k), CPU), Teachers([model_of()], "float32", top_k)
    for epoch in range(2):
        whole = list(STREAM.epoch(epoch))
        part = Stream(split_of(), recipe_of(), 1, CPU, ranks=Ranks(rank, n_ranks)).epoch(epoch)
        for batch, own in zip(whole, part, strict=True):
            expected = teacher.targets(batch).logits[rank::n_ranks]
            assert_close(labels.targets(own).logits, expected, rtol=0, atol=0)


def test_equal_logits_give_equal_bytes(tmp_path):
    one, other = (written(tmp_path / name, metadata={"y": 1, "x": 2}) for name in "ab")
    assert one.read_bytes() == other.read_bytes()
    assert SoftLabels(one, CPU).metadata == {"y": 1, "x": 2, "epochs": 2, "rows_per_epoch": 20, "n_classes": 3}


def test_the_file_has_two_bytes_a_class_and_view(tmp_path):
    stream = Stream(split_of(300), recipe_of(batch_size=64), 1, CPU)
    n_views = 2 * stream.rows_per_epoch
    gigabytes, seconds = soft_labels.estimate(Teachers([model_of()], "float32"), stream, 2)
    assert gigabytes * 1e9 == n_views * 3 * 2 and seconds > 0


def test_the_estimate_is_of_all_batches_of_all_epochs(monkeypatch):
    monkeypatch.setattr(soft_labels, "time", SimpleNamespace(perf_counter=iter([10.0, 12.0]).__next__))
    _, seconds = soft_labels.estimate(Teachers([model_of()], "float32"), STREAM, 5)
    assert seconds == 2 * 3 * 5  # a batch, batches of an epoch, epochs


@pytest.mark.parametrize("kept", [0, 10, 500, -1])
def test_a_truncated_file_is_named(tmp_path, kept):
    path = written(tmp_path / "a")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"a: not a whole file of soft labels .*; delete it and run again"):
        soft_labels.read(path, CPU)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match="a: no such file"):
        soft_labels.read(tmp_path / "a", CPU)


def test_a_file_of_fewer_epochs_is_not_trusted(tmp_path):
    path = tmp_path / "a"
    soft_labels.write(path, Teachers([model_of()], "float32"), STREAM, 1, {})
    labels = SoftLabels(path, CPU)
    with pytest.raises(IndexError):
        labels.targets(next(STREAM.epoch(1)))


def test_a_file_that_lacks_rows_is_named(tmp_path):
    longer = SimpleNamespace(rows_per_epoch=21, epoch=STREAM.epoch)  # than its batches are
    path = written(tmp_path / "a", stream=longer)
    with pytest.raises(UserError, match="a: holds 40 rows of soft labels, expected 42; delete it and run again"):
        soft_labels.read(path, CPU)


# ---- scripts ----


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    """A teacher wider than its students."""
    settings = BASELINE | {"network": NETWORK | {"widths": [4, 4, 4]}}
    return train(tmp_path_factory.mktemp("teacher"), settings=settings, script="train_on_labels")


def stored(folder, teacher, settings=VIEWS):
    files = {"train": teacher.parent / "train", "teacher": teacher, "output": folder / "stored.arrow"}
    run_script("precompute_soft_labels", 1, settings, **files)
    return files["output"]


@pytest.mark.parametrize("top_k", [None, 2])
def test_a_student_of_stored_labels_equals_one_of_the_teacher_to_the_last_bit(teacher, tmp_path, capsys, top_k):
    path, settings = stored(tmp_path, teacher, VIEWS | {"top_k": top_k}), STUDENT | {"top_k": top_k}
    assert capsys.readouterr().out.startswith("estimate: ")
    options = {"script": "distill_student", "settings": settings, "teacher": teacher}
    online, reading = train(tmp_path, "online", **options), train(tmp_path, "stored", **options, soft_labels=path)
    assert online.read_bytes() == reading.read_bytes()
    assert online.with_suffix(".parquet").read_bytes() == reading.with_suffix(".parquet").read_bytes()


def test_the_stored_labels_are_what_a_student_learns_from(teacher, tmp_path):
    """Another teacher's checkpoint makes no difference once soft labels are stored."""
    path = stored(tmp_path, teacher)
    other = train(tmp_path, "other", seed=7, script="train_on_labels")
    options = {"script": "distill_student", "settings": STUDENT, "soft_labels": path}
    tensors = [checkpoints.read(train(tmp_path, t.stem, teacher=t, **options))[0] for t in (teacher, other)]
    assert all(torch.equal(tensors[0][name], tensors[1][name]) for name in tensors[0])


def test_labels_that_would_be_too_large_are_computed_online(teacher, tmp_path, capsys):
    path = stored(tmp_path, teacher, VIEWS | {"max_gb": 1e-9})
    assert soft_labels.read(path, CPU) is None
    assert "soft labels would take 2.4e-07 GB, max_gb is 1e-09" in capsys.readouterr().out
    options = {"script": "distill_student", "settings": STUDENT, "teacher": teacher}
    online, refused = train(tmp_path, "a", **options), train(tmp_path, "b", **options, soft_labels=path)
    assert online.read_bytes() == refused.read_bytes()


def test_numpy_half_precision_is_torchs():
    assert np.array_equal(LOGITS.half().numpy(), LOGITS.numpy().astype(np.float16))

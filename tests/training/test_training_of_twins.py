"""Twins: equal settings and training images, and other draws."""

from itertools import combinations

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from helpers import assert_close
from small_mixing import SETTINGS
from small_training import BASELINE, RECIPE, SGD, STUDENT, files_of, run_script, split_of, train

from selfdoubt.data import datasets
from selfdoubt.models import checkpoints
from selfdoubt.training.batches import Stream

OWN = {"own_images": {"kind": "disjoint", "n_images": 8}}
AT_REST = BASELINE | {"recipe": RECIPE | {"optimizer": SGD | {"learning_rate": 1e-12}}}
VIEWS = {name: RECIPE[name] for name in ("epochs", "batch_size", "shift_px", "crop", "flip", "n_workers", "precision")}
VIEWS |= {"device": "cpu", "threads": 1, "top_k": None, "max_gb": None}


def weights(path) -> torch.Tensor:
    return checkpoints.read(path)[0]["body.head.weight"]


@pytest.fixture
def seen(monkeypatch) -> list:
    """What each training is shown first: the positions of its first batch, and its pixels."""
    first, epoch = [], Stream.epoch

    def watched(self, number, *more):
        for batch in epoch(self, number, *more):
            if number == 0 and batch.rows.start == 0:
                first.append((batch.positions.tolist(), batch.images.sum().item()))
            yield batch

    monkeypatch.setattr(Stream, "epoch", watched)
    return first


def test_twins_differ_in_first_weights_order_and_views(tmp_path, seen):
    settings = {name: AT_REST | twin for name, twin in (("a", {}), ("b", {"twin": 1}), ("c", {"twin": 2}))}
    paths = [train(tmp_path, name, settings=given) for name, given in settings.items()]
    heads = [weights(path) for path in paths]
    orders = [order for order, _ in seen]
    for i, j in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(heads[i], heads[j]) and orders[i] != orders[j]
    again = train(tmp_path / "again", "b", settings=settings["b"])
    assert again.read_bytes() == paths[1].read_bytes()
    other = train(tmp_path, "d", seed=2, settings=settings["b"])
    assert not torch.allclose(weights(other), heads[1])  # of another replicate


CUTMIX = {"method": "cutmix", "probability": 1.0, **SETTINGS["cutmix"]}


@pytest.mark.parametrize(
    ("script", "own"),
    [("train_on_labels", {"label_smoothing": 0.1}), ("train_augmented", {"mixing": CUTMIX, "masks": None})],
)
def test_arms_that_are_no_twins_share_first_weights_and_order_in_a_replicate(tmp_path, seen, script, own):
    ce = train(tmp_path, "ce", settings=AT_REST)
    other = train(tmp_path, "other", settings=AT_REST | own, script=script)
    next_one = train(tmp_path, "next", seed=2, settings=AT_REST | own, script=script)
    orders = [order for order, _ in seen]
    assert_close(weights(other), weights(ce))
    assert orders[1] == orders[0]
    assert not torch.allclose(weights(next_one), weights(ce)) and orders[2] != orders[0]


def test_twins_have_the_images_of_their_replicate(tmp_path):
    paths = [train(tmp_path, f"t{i}", settings=AT_REST | OWN | {"twin": i}) for i in (1, 2)]
    mean, other = (checkpoints.read(path)[0]["mean"] for path in paths)
    assert torch.equal(mean, other)  # of the images that the normalisation is fitted to


def test_a_twin_reads_the_soft_labels_of_its_own_views(tmp_path):
    teacher = train(tmp_path, "teacher")
    files = {"train": tmp_path / "train", "teacher": teacher}
    for name, twin in (("own", {"twin": 1}), ("others", {})):
        run_script("precompute_soft_labels", 1, VIEWS | twin, output=tmp_path / name, **files)
    settings = {"script": "distill_student", "settings": STUDENT | {"twin": 1}, "teacher": teacher}
    online = weights(train(tmp_path, "online", **settings))
    assert torch.equal(online, weights(train(tmp_path, "stored", soft_labels=tmp_path / "own", **settings)))
    assert not torch.equal(online, weights(train(tmp_path, "wrong", soft_labels=tmp_path / "others", **settings)))


def test_a_born_again_student_starts_from_other_weights_than_its_teacher(tmp_path):
    files_of(tmp_path)
    student = STUDENT | {"recipe": AT_REST["recipe"]}
    twin = train(tmp_path, "ce-twins-1", settings=AT_REST | {"twin": 1})
    born = train(tmp_path, "born", settings=student, script="distill_student", teacher=twin)
    again = train(tmp_path, "born-twins-2", settings=student | {"twin": 2}, script="distill_student", teacher=twin)
    baseline = train(tmp_path, "ce", settings=AT_REST)
    assert_close(weights(born), weights(baseline))  # models that are no twins share theirs
    starts = [weights(path) for path in (twin, born, again)]
    assert not any(torch.allclose(starts[i], starts[j]) for i, j in ((0, 1), (0, 2), (1, 2)))


def test_twins_and_their_model_are_a_deep_ensemble(tmp_path):
    """Its members differ, and it decides by the mean of their probabilities."""
    files_of(tmp_path)
    datasets.write_splits(tmp_path / "test", {"test": split_of(12, seed=3)}, {})
    members = [tmp_path / f"{i}.parquet" for i in range(3)]
    fast = BASELINE | {"recipe": RECIPE | {"epochs": 8, "optimizer": SGD | {"learning_rate": 1.0}}}
    for i, path in enumerate(members):
        checkpoint = train(tmp_path, f"t{i}", settings=fast | ({"twin": i} if i else {}))
        files = {"checkpoint": checkpoint, "val": tmp_path / "val", "test": tmp_path / "test", "output": path}
        run_script("predict", 1, {"mc_dropout_passes": 0}, **files)
    settings = {"method": "mean-probability", "members": ["ce", "ce-twins-1", "ce-twins-2"]}
    run_script("combine_members", None, settings, members=members, output=tmp_path / "group.parquet")
    *each, together = (probabilities(path) for path in (*members, tmp_path / "group.parquet"))
    assert all(np.abs(one - other).max() > 1e-3 for one, other in combinations(each, 2))
    np.testing.assert_allclose(together, np.mean(each, 0), atol=1e-6)


def probabilities(path) -> np.ndarray:
    """The probabilities (n, K) in a file of predictions."""
    return torch.tensor(pq.read_table(path)["logits"].to_pylist()).double().softmax(1).numpy()

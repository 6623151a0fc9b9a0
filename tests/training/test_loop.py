"""One training loop: the same files twice, and nothing learned from val or test."""

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_training import (
    BASELINE,
    CPU,
    KD,
    RECIPE,
    SCRIPTS,
    SGD,
    STUDENT,
    arguments_of,
    files_of,
    model_of,
    recipe_of,
    split_of,
    train,
)
from torch import nn

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.models import checkpoints
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.training import TRAINING_SCHEMA
from selfdoubt.training import loop, losses
from selfdoubt.training.batches import Stream
from selfdoubt.training.loop import Training
from selfdoubt.training.resume import Keeper

torch.set_num_threads(1)


def fit(model, recipe, objective, val, split: Split | None = None, seed: int = 1) -> list[dict]:
    return Training(model, Stream(split or split_of(), recipe, seed, CPU), objective, val).run()


# ---- the loop ----


def test_a_loss_that_is_not_finite_is_named_with_its_step():
    losses = iter([1.0, 1.0, 1.0, float("nan")])
    recipe = recipe_of(batch_size=10)  # 2 steps an epoch, 4 in all; the last has (4 - 3) / (4 - 1 + 1) of the peak
    with pytest.raises(UserError, match=r"^loss is nan at epoch 1, step 3, learning rate 0\.025$"):
        fit(model_of(), recipe, lambda z, _: z.sum() * next(losses), split_of(6))


def test_an_infinite_loss_changes_no_weight():
    model, before = model_of(), model_of().state_dict()
    recipe = recipe_of(batch_size=20)
    with pytest.raises(UserError, match=r"^loss is inf at epoch 0, step 0, learning rate 0\.1$"):
        fit(model, recipe, lambda z, _: z.sum() + float("inf"), split_of(6))
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


@pytest.mark.parametrize("interval", [2, 3, 16])
def test_losses_that_are_read_once_in_several_steps_name_the_first_that_is_not_finite(tmp_path, monkeypatch, interval):
    """At the latest where the epoch ends or a state would be kept, so that no state has its weights."""
    losses = iter([1.0, 1.0, 1.0, float("nan"), float("inf"), 1.0])
    recipe = recipe_of(batch_size=10)  # 2 steps an epoch
    keeper = Keeper(tmp_path / "state", "key")
    training = Training(
        model_of(), Stream(split_of(), recipe, 1, CPU), lambda z, _: z.sum() * next(losses), split_of(6), keeper
    )
    training._most_unchecked = interval
    with pytest.raises(UserError, match=r"^loss is nan at epoch 1, step 3, learning rate 0\.025$"):
        training.run()
    assert Keeper(tmp_path / "state", "key").load()[1]["epoch"] == 1  # that of the first epoch


def test_memory_that_runs_out_while_views_are_made_names_the_batch_size(monkeypatch):
    stream = Stream(split_of(), recipe_of(batch_size=10), 1, CPU)

    def no_memory(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        yield

    monkeypatch.setattr(stream, "epoch", no_memory)
    with pytest.raises(UserError, match="out of memory; lower recipes: batch_size 10"):
        Training(model_of(), stream, lambda z, _: z.sum(), split_of(6)).run()


def test_the_history_by_hand(capsys):
    # Batches of 8, 8 and 4 images whose "loss" is their size: (8 * 8 + 8 * 8 + 4 * 4) / 20 = 7.2 a mean image.
    # 6 steps, peak at step 1: the epochs end at steps 2 and 5, so at (6 - 2) / 5.5 and 1 / 5.5 of 0.1.
    recipe = recipe_of()
    rows = fit(model_of(), recipe, lambda z, batch: 0 * z.sum() + len(batch.labels), split_of(6))
    assert [row["epoch"] for row in rows] == [0, 1]
    assert [row["train_loss"] for row in rows] == pytest.approx([7.2, 7.2])
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.4 / 5.5, 0.1 / 5.5])
    assert list(rows[0]) == TRAINING_SCHEMA.names
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_val_is_evaluated_every_so_many_epochs_and_after_the_last_and_changes_nothing_else():
    every, second = (recipe_of(epochs=4), recipe_of(epochs=4, validate_every=3))
    models = [model_of(), model_of()]
    whole, few = (fit(m, r, losses.from_labels(), split_of(6)) for m, r in zip(models, (every, second), strict=True))
    assert ["val_loss" in row for row in few] == [False, False, True, True]
    assert [few[2], few[3]] == whole[2:] and [row["train_loss"] for row in few] == [row["train_loss"] for row in whole]
    assert all(map(torch.equal, models[0].state_dict().values(), models[1].state_dict().values()))


@pytest.mark.parametrize("ema_decay", [None, 0.5])
def test_val_is_evaluated_with_the_finished_epochs_model_or_its_average(ema_decay):
    # At so high a rate the average lies far from the last weights.
    model, recipe, val = model_of(), recipe_of(learning_rate=2.0, ema_decay=ema_decay), split_of(9, seed=1)
    row = fit(model, recipe, losses.from_labels(), val)[-1]
    logits = model.eval()(torch.from_numpy(val.images).float() / 255)
    expected = nn.functional.cross_entropy(logits, torch.from_numpy(val.labels)).item()
    assert row["val_loss"] == pytest.approx(expected, rel=1e-5)
    assert row["val_accuracy"] == (logits.argmax(1).numpy() == val.labels).mean()


def test_training_learns_what_can_be_learned():
    recipe, model = recipe_of(epochs=12, learning_rate=1.0), model_of(widths=[8, 8, 8])
    model.fit_input(torch.from_numpy(split_of().images).float() / 255)
    rows = fit(model, recipe, losses.from_labels(), split_of(6))
    assert rows[0]["train_loss"] == pytest.approx(np.log(3), abs=0.1)  # uniform over three classes
    assert rows[-1]["train_loss"] < 0.6 * np.log(3)


def test_only_matrices_and_filters_decay():
    # One step without a gradient: Nesterov's momentum makes it (1 + 0.9) * decay * weight, at the full rate 0.1.
    model, recipe = model_of(), recipe_of(epochs=1, batch_size=20, warmup_fraction=0.0, weight_decay=0.5)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    fit(model, recipe, lambda z, _: 0 * z.sum(), split_of(6))
    for name, weight in model.named_parameters():
        left = 1 - 0.1 * 1.9 * 0.5 if weight.ndim > 1 and "whitening" not in name else 1
        assert_close(weight.detach(), left * before[name])


def test_long_gradients_are_shortened():
    found = {}
    for norm in (None, 1e-3):
        model, recipe = model_of(), recipe_of(epochs=1, batch_size=20, warmup_fraction=0.0, max_gradient_norm=norm)
        recipe.optimizer.weight_decay = 0.0
        before = [p.detach().clone() for p in model.parameters()]
        fit(model, recipe, losses.from_labels(), split_of(6))
        moves = [after.detach() - p for after, p in zip(model.parameters(), before, strict=True)]
        found[norm] = torch.stack([move.norm() for move in moves]).norm().item()
    assert found[1e-3] == pytest.approx(0.1 * 1.9 * 1e-3, rel=1e-2)  # rate, Nesterov's first step, norm
    assert found[None] > 10 * found[1e-3]


def test_the_model_ends_as_the_average_of_its_weights():
    """By hand: average = first step's weights, then decay of the old and the rest of the new."""
    seen, decay = [], 0.75
    model, recipe = model_of(), recipe_of(epochs=2, batch_size=10, ema_decay=decay)
    objective = losses.from_labels()

    def watched(logits, batch):
        seen.append(model.body.head.weight.detach().clone())  # before each step
        return objective(logits, batch)

    fit(model, recipe, watched, split_of(6))
    plain = model_of()
    last = recipe_of(epochs=2, batch_size=10)
    fit(plain, last, objective, split_of(6))
    average, steps = None, [*seen[1:], plain.body.head.weight.detach()]
    for weight in steps:
        average = weight if average is None else decay * average + (1 - decay) * weight
    assert_close(model.body.head.weight.detach(), average)
    assert not torch.equal(average, steps[-1])


def test_dropout_is_that_of_the_step_and_disturbs_nothing():
    """The masks come from (seed, step): a step's loss is the same whatever was drawn before."""
    found = []
    for extra in (0, 3):
        model = model_of()
        model.body.activation = nn.Dropout(0.5)
        recipe, losses = recipe_of(), []

        def objective(logits, batch, losses=losses, extra=extra):
            torch.rand(extra)
            losses.append(nn.functional.cross_entropy(logits, batch.labels))
            return losses[-1]

        fit(model, recipe, objective, split_of(6), seed=5)
        found.append([loss.item() for loss in losses])
    assert found[0] == found[1] and len(set(found[0])) == 6


def test_dropout_is_drawn_anew_for_each_step_and_seed():
    """Equal images, and a rate that moves no weight: what differs is what is dropped."""
    split, found = split_of(), set()
    alike = replace(split, images=np.repeat(split.images[:1], len(split.labels), 0))
    recipe = recipe_of(batch_size=20, learning_rate=1e-12, shift_px=0, flip=False)

    def objective(logits, batch):
        found.add(logits.sum().item())
        return logits.sum()

    for seed in (5, 6):
        model = model_of()
        model.body.activation = nn.Dropout(0.5)
        fit(model, recipe, objective, split_of(6), alike, seed)
    assert len(found) == 4  # two epochs of one step each, for two seeds


@pytest.mark.parametrize("fault", [torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: x")])
def test_a_lack_of_memory_names_the_batch_size(fault):
    def objective(logits, batch):
        raise fault

    with pytest.raises(UserError, match="out of memory; lower recipes: batch_size 8"):
        fit(model_of(), recipe_of(), objective, split_of(6))


def test_a_training_that_diverges_in_its_last_step_fails():
    recipe = recipe_of(epochs=1, batch_size=24)
    recipe.optimizer.learning_rate = 1e30
    with pytest.raises(UserError, match="val_loss is nan after epoch 0; lower the learning rate"):
        fit(model_of(), recipe, losses.from_labels(), split_of(6))


def test_fewer_gpus_than_ranks_are_refused_before_anything_starts(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(UserError, match="gpu 2, but 1 were leased; give --resources gpu=2"):
        loop._check_devices(recipe_of(gpu=2, device="auto"))
    loop._check_devices(recipe_of(gpu=2, device="cpu"))


def test_the_networks_passes_are_compiled_where_the_recipe_asks_for_it(tmp_path, monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda forward: lambda images: compiled.append(images) or forward(images))
    plain = train(tmp_path, "plain")
    assert not compiled
    asked = train(tmp_path, "asked", settings=BASELINE | {"recipe": RECIPE | {"compile": True}})
    assert len(compiled) == RECIPE["epochs"] * 3  # of 20 images in batches of 8
    one, other = (checkpoints.read(path)[0] for path in (plain, asked))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_job_does_not_import_torchs_compiler(tmp_path):
    files = files_of(tmp_path) | {"state": tmp_path / "state"}
    settings = BASELINE | {"recipe": RECIPE | {"ema_decay": 0.9, "max_gradient_norm": 1.0}}
    code = f"import sys; sys.argv[0] = {str(SCRIPTS / 'train_on_labels.py')!r}; import runpy\n"
    code += "runpy.run_path(sys.argv[0], run_name='__main__'); sys.exit('torch._dynamo' in sys.modules)"
    command = [sys.executable, "-c", code, *arguments_of(1, settings, **files)]
    subprocess.run(command, env={"PYTHONPATH": str(SCRIPTS)}, check=True, capture_output=True)


# ---- files ----


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    return train(tmp_path_factory.mktemp("trained"))


def test_two_runs_give_the_same_bytes(trained, tmp_path):
    torch.rand(5)  # the global generator does not matter
    again = train(tmp_path)
    assert again.read_bytes() == trained.read_bytes()
    assert again.with_suffix(".parquet").read_bytes() == trained.with_suffix(".parquet").read_bytes()


def test_another_seed_gives_another_model(trained, tmp_path):
    one, other = checkpoints.read(trained)[0], checkpoints.read(train(tmp_path, seed=2))[0]
    changed = {name for name in one if not torch.equal(one[name], other[name])}
    assert one.keys() - changed == {"mean", "std", "body.whitening.weight"} | {k for k in one if "num_batches" in k}


def test_training_starts_from_the_weights_of_the_seed(tmp_path):
    settings = BASELINE | {"recipe": RECIPE | {"optimizer": SGD | {"learning_rate": 1e-12}}}
    for seed in (1, 2):
        found = checkpoints.read(train(tmp_path, seed=seed, settings=settings))[0]["body.head.weight"]
        assert_close(found, model_of(seed).body.head.weight.detach())


def test_the_checkpoint_records_what_made_it_and_not_when_or_where(trained):
    _, metadata = checkpoints.read(trained)
    assert metadata.keys() == {"settings", "code", "packages", "replicate", "shape", "device", "precision"}
    assert metadata["settings"] == BASELINE and metadata["settings"]["recipe"]["threads"] == 1
    assert metadata["shape"] == {"channels": 1, "size_px": 16, "n_classes": 3}
    assert (metadata["code"], metadata["replicate"]) == ("abc", 1)
    assert (metadata["device"], metadata["precision"]) == ("cpu", "float32")
    assert metadata["packages"]["torch"] == torch.__version__.split("+")[0]
    assert str(trained.parent).encode() not in trained.read_bytes()


def test_the_precision_that_was_used_is_recorded(tmp_path):
    _, metadata = checkpoints.read(train(tmp_path, settings=BASELINE | {"recipe": RECIPE | {"precision": "auto"}}))
    assert metadata["settings"]["recipe"]["precision"] == "auto" and metadata["precision"] in ("float32", "bfloat16")


def test_the_history_stands_beside_the_checkpoint(trained):
    history = table_files.read_table(trained.with_suffix(".parquet"), TRAINING_SCHEMA)
    assert history["epoch"].to_pylist() == [0, 1]
    assert table_files.read_metadata(trained.with_suffix(".parquet")) == checkpoints.read(trained)[1]


def test_the_normalisation_is_that_of_the_training_images(trained):
    tensors, pixels = checkpoints.read(trained)[0], split_of().images / 255
    assert tensors["mean"].item() == pytest.approx(pixels.mean(), abs=1e-6)
    assert tensors["std"].item() == pytest.approx(pixels.std(ddof=1), abs=1e-6)


MODEL = {"train", "val", "weights", "checkpoint", "history", "state", "progress"}
GIVEN = {
    "train_on_labels": MODEL,
    "distill_student": MODEL | {"teacher", "soft-labels", "masks"},
    "train_augmented": MODEL | {"masks"},
    "train_robust": MODEL | {"start"},
    "train_segmenter": {"train", "teacher", "network", "pseudo-masks", "progress", "weights"},
}


@pytest.mark.parametrize("script", GIVEN)
def test_no_training_script_is_given_the_test_split(monkeypatch, script):
    files = []
    monkeypatch.setattr(cli, "main", lambda run, named, **_: files.extend(named))
    runpy.run_path(str(SCRIPTS / f"{script}.py"), run_name="__main__")
    assert set(files) == GIVEN[script]


def test_nothing_is_learned_from_other_splits(trained, tmp_path):
    # A training file that also holds a test split, and another val: the same weights.
    splits = {"train": split_of(), "test": split_of(9, seed=5)}
    datasets.write_splits(tmp_path / "train", splits, {})
    datasets.write_splits(tmp_path / "val", {"val": split_of(12, seed=7)}, {})
    assert train(tmp_path).read_bytes() == trained.read_bytes()


def test_a_student_is_trained_by_its_teacher(trained, tmp_path):
    path = train(tmp_path, settings=STUDENT, script="distill_student", teacher=trained)
    assert checkpoints.read(path)[1]["settings"] == STUDENT
    settings = STUDENT | {"loss": KD | {"alpha": 0.0}}
    without = train(tmp_path, "b", settings=settings, script="distill_student", teacher=trained)
    learned, alone, labels = (checkpoints.read(each)[0] for each in (path, without, trained))
    assert not torch.equal(learned["body.head.weight"], alone["body.head.weight"])
    assert all(torch.equal(alone[name], labels[name]) for name in labels)  # alpha 0 is the baseline


def test_a_failed_training_leaves_no_file(tmp_path):
    with pytest.raises(SystemExit, match=r"^train_on_labels: loss is (nan|inf) at epoch 0, step \d, learning rate"):
        train(tmp_path, settings=BASELINE | {"recipe": RECIPE | {"optimizer": SGD | {"learning_rate": 1e30}}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train", "val"]

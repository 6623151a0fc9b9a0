"""One training loop: the same files twice, labels that follow the pixels, and nothing learned from val or test."""

import dataclasses
import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from selfdoubt import augmentation, checkpoints, commands, datasets, models, schemas, training
from selfdoubt.datasets import Split
from selfdoubt.errors import UserError
from selfdoubt.training import Batch, Stream, fit

torch.set_num_threads(1)
CPU = torch.device("cpu")
SCRIPTS = Path(training.__file__).resolve().parents[1]
NETWORK = {"family": "convnet", "widths": [2, 3, 4]}
SGD = {"method": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0005}
RECIPE = {"epochs": 2, "batch_size": 8, "optimizer": SGD, "schedule": {"method": "triangular", "warmup_fraction": 0.25}}
RECIPE |= {"shift_px": 1, "flip": True, "precision": "float32", "device": "cpu", "threads": 1}
BASELINE = {"network": NETWORK, "recipe": RECIPE, "label_smoothing": 0.0}
CUTMIX = SimpleNamespace(method="cutmix", probability=1.0, beta=1.0)
MASK_CUTMIX = SimpleNamespace(method="mask-cutmix", probability=1.0, n_placements=3)


def recipe_of(**values) -> SimpleNamespace:
    """RECIPE with other values, those of the optimiser and the schedule by their own names."""
    parts = {part: {**RECIPE[part]} for part in ("optimizer", "schedule")}
    for part in parts.values():
        part.update({name: values.pop(name) for name in part.keys() & values.keys()})
    return commands.parse_settings(json.dumps({**RECIPE, **parts, **values}))


def split_of(n: int = 20, seed: int = 0, size_px: int = 16) -> Split:
    """Three classes that differ in brightness, with noise."""
    draws, labels = np.random.default_rng(seed), np.arange(n) % 3
    images = 40 + 70 * labels[:, None, None, None] + draws.integers(-30, 31, (n, 1, size_px, size_px))
    return Split(images.astype(np.uint8), labels, np.arange(n, dtype=np.int32))


def flat_split(n: int = 12, size_px: int = 6) -> Split:
    """Image i has the value 10 (i + 1) everywhere and the label i."""
    images = np.broadcast_to(10 * (np.arange(n) + 1)[:, None, None, None], (n, 1, size_px, size_px))
    return Split(images.astype(np.uint8), np.arange(n), np.arange(n, dtype=np.int32))


def flat_stream(mixing=None, masks=None, **values) -> Stream:
    return Stream(flat_split(), recipe_of(shift_px=0, batch_size=5, **values), 1, CPU, mixing, masks)


def model_of(seed: int = 0, **network) -> models.Classifier:
    network = SimpleNamespace(**{**NETWORK, **network})
    return models.build_model(network, n_classes=3, channels=1, size_px=16, seed=seed)


# ---- batches ----


@pytest.mark.parametrize(("n", "batch_size", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 4, [3])])
def test_batches_hold_every_image_once(n, batch_size, sizes):
    stream = Stream(flat_split(n), recipe_of(batch_size=batch_size), 1, CPU)
    batches = list(stream.epoch(0))
    assert [len(batch.images) for batch in batches] == sizes and stream.n_batches == len(sizes)
    assert sorted(torch.cat([batch.labels for batch in batches]).tolist()) == list(range(n))


def test_without_mixing_a_batch_is_its_images_and_labels():
    for batch in flat_stream().epoch(0):
        expected = 10 * (batch.labels + 1).float() / 255
        torch.testing.assert_close(batch.images, expected[:, None, None, None].expand(-1, 1, 6, 6))
        assert batch.images.dtype == torch.float32
        assert batch.weight is None and torch.equal(batch.other_labels, batch.labels)


def joined(stream: Stream, epoch: int = 0) -> dict[str, torch.Tensor]:
    """All batches of an epoch in one."""
    batches = list(stream.epoch(epoch))
    names = [field.name for field in dataclasses.fields(Batch) if getattr(batches[0], field.name) is not None]
    return {name: torch.cat([getattr(batch, name) for batch in batches]) for name in names}


def assert_equal(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def masked_stream(mixing, batch_size: int = 8, seed: int = 1) -> Stream:
    masks = split_of().images[:, 0] % 2 > 0 if mixing is MASK_CUTMIX else None
    return Stream(split_of(), recipe_of(batch_size=batch_size), seed, CPU, mixing, masks)


@pytest.mark.parametrize("mixing", [None, CUTMIX, MASK_CUTMIX], ids=["none", "cutmix", "mask-cutmix"])
def test_an_epoch_is_the_same_whatever_the_batch_size_and_what_came_before(mixing):
    whole = joined(masked_stream(mixing, batch_size=20), epoch=1)
    stream = masked_stream(mixing, batch_size=3)
    for epoch in (0, 1):
        list(stream.epoch(epoch))
    assert_equal(joined(stream, epoch=1), whole)
    for other in (joined(stream, epoch=0), joined(masked_stream(mixing, seed=2), epoch=1)):
        assert not torch.equal(other["images"], whole["images"])


@pytest.mark.parametrize("mixing", [None, CUTMIX, MASK_CUTMIX], ids=["none", "cutmix", "mask-cutmix"])
def test_a_view_is_that_of_the_image_and_not_of_its_place_in_a_batch(mixing, monkeypatch):
    straight, drawn = joined(masked_stream(mixing)), augmentation.draw_views

    def backwards(*arguments):
        views = drawn(*arguments)
        return dataclasses.replace(views, order=views.order.flip(0))

    monkeypatch.setattr(augmentation, "draw_views", backwards)
    assert_equal({name: tensor.flip(0) for name, tensor in joined(masked_stream(mixing)).items()}, straight)


# ---- mixed labels ----


def shares(batch: Batch, labels: torch.Tensor) -> torch.Tensor:
    """The share of each image's pixels that have the value of the flat image of that label."""
    values = 10 * (labels + 1).float() / 255
    return ((batch.images - values[:, None, None, None]).abs() < 1e-4).float().mean((1, 2, 3))


@pytest.mark.parametrize("method", ["cutmix", "mask-cutmix"])
def test_labels_and_weights_follow_the_pixels(method):
    # With masks of all pixels, the target's visible area is what is not pasted over, so both weigh by pixels.
    masks = np.ones((12, 6, 6), bool) if method == "mask-cutmix" else None
    stream = flat_stream(CUTMIX if method == "cutmix" else MASK_CUTMIX, masks)
    n_two = 0
    for batch in (batch for epoch in range(4) for batch in stream.epoch(epoch)):
        two = batch.labels != batch.other_labels
        torch.testing.assert_close(shares(batch, batch.labels)[two], batch.weight[two])
        torch.testing.assert_close(shares(batch, batch.other_labels)[two], 1 - batch.weight[two])
        assert (shares(batch, batch.labels)[~two] == 1).all()
        n_two += int((two & (batch.weight > 0) & (batch.weight < 1)).sum())
    assert n_two > (20 if method == "cutmix" else 5)


def test_object_labels_follow_the_visible_objects():
    # The objects are the left 2 of 6 columns of every image: 12 pixels, of which at most those pasted are hidden.
    masks = np.zeros((12, 6, 6), bool)
    masks[:, :, :2] = True
    for batch in flat_stream(MASK_CUTMIX, masks, flip=False).epoch(0):
        pasted = ((batch.images - 10 * (batch.labels + 1)[:, None, None, None] / 255).abs() > 1e-4)[:, 0]
        visible = 12 - pasted[:, :, :2].sum((1, 2))
        two = batch.labels != batch.other_labels
        torch.testing.assert_close((visible / (visible + pasted.sum((1, 2))))[two], batch.weight[two])
        assert pasted[two].any() and batch.images.shape[1] == 1  # without the mask's channel


def test_what_is_not_mixed_keeps_its_label():
    half = SimpleNamespace(method="cutmix", probability=0.5, beta=1.0)
    drawn = augmentation.draw_mixing(1, 0, (12, 6, 6), half)
    batch = joined(flat_stream(half))
    alone = ~drawn.mixed[batch["labels"]]  # label i is the image at position i
    assert 0 < alone.sum() < 12
    assert (batch["weight"][alone] == 1).all() and torch.equal(batch["other_labels"][alone], batch["labels"][alone])
    assert torch.equal(batch["other_labels"][~alone], drawn.partner[batch["labels"][~alone]])


@pytest.mark.parametrize("method", ["cutmix", "mask-cutmix"])
def test_probability_0_mixes_nothing(method):
    mixing = SimpleNamespace(method=method, probability=0.0, beta=1.0, n_placements=2)
    masks = np.ones((12, 6, 6), bool) if method == "mask-cutmix" else None
    plain, batch = joined(flat_stream()), joined(flat_stream(mixing, masks))
    assert batch.pop("weight").tolist() == [1.0] * 12
    assert_equal(batch, plain)


# ---- the loop ----


def test_a_loss_that_is_not_finite_is_named_with_its_step():
    losses = iter([1.0, 1.0, 1.0, float("nan")])
    recipe = recipe_of(batch_size=10)  # 2 steps an epoch, 4 in all; the last has (4 - 3) / (4 - 1 + 1) of the peak
    with pytest.raises(UserError, match=r"^loss is nan at epoch 1, step 3, learning rate 0\.025$"):
        fit(model_of(), Stream(split_of(), recipe, 1, CPU), recipe, lambda z, _: z.sum() * next(losses), split_of(6))


def test_an_infinite_loss_changes_no_weight():
    model, before = model_of(), model_of().state_dict()
    recipe = recipe_of(batch_size=20)
    with pytest.raises(UserError, match=r"^loss is inf at epoch 0, step 0, learning rate 0\.1$"):
        fit(model, Stream(split_of(), recipe, 1, CPU), recipe, lambda z, _: z.sum() + float("inf"), split_of(6))
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_the_history_by_hand(capsys):
    # Batches of 8, 8 and 4 images whose "loss" is their size: (8 * 8 + 8 * 8 + 4 * 4) / 20 = 7.2 a mean image.
    # 6 steps, peak at step 1: the epochs end at steps 2 and 5, so at (6 - 2) / 5.5 and 1 / 5.5 of 0.1.
    recipe = recipe_of()
    stream, objective = Stream(split_of(), recipe, 1, CPU), lambda z, batch: 0 * z.sum() + len(batch.labels)
    rows = fit(model_of(), stream, recipe, objective, split_of(6))
    assert [row["epoch"] for row in rows] == [0, 1]
    assert [row["train_loss"] for row in rows] == pytest.approx([7.2, 7.2])
    assert [row["learning_rate"] for row in rows] == pytest.approx([0.4 / 5.5, 0.1 / 5.5])
    assert list(rows[0]) == schemas.SCHEMAS["training"].names
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_val_is_judged_by_the_finished_epochs_model():
    model, recipe, val = model_of(), recipe_of(epochs=1), split_of(9, seed=1)
    stream = Stream(split_of(), recipe, 1, CPU)
    (row,) = fit(model, stream, recipe, training.label_objective(), val)
    logits = model.eval()(torch.from_numpy(val.images).float() / 255)
    expected = nn.functional.cross_entropy(logits, torch.from_numpy(val.labels)).item()
    assert row["val_loss"] == pytest.approx(expected, rel=1e-5)
    assert row["val_accuracy"] == (logits.argmax(1).numpy() == val.labels).mean()


def test_training_learns_what_can_be_learned():
    recipe, model = recipe_of(epochs=12, learning_rate=1.0), model_of(widths=[8, 8, 8])
    model.fit_input(torch.from_numpy(split_of().images).float() / 255)
    rows = fit(model, Stream(split_of(), recipe, 1, CPU), recipe, training.label_objective(), split_of(6))
    assert rows[0]["train_loss"] == pytest.approx(np.log(3), abs=0.1)  # knows nothing of three classes
    assert rows[-1]["train_loss"] < 0.6 * np.log(3)


def test_only_matrices_and_filters_decay():
    # One step without a gradient: Nesterov's momentum makes it (1 + 0.9) * decay * weight, at the full rate 0.1.
    model, recipe = model_of(), recipe_of(epochs=1, batch_size=20, warmup_fraction=0.0, weight_decay=0.5)
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    fit(model, Stream(split_of(), recipe, 1, CPU), recipe, lambda z, _: 0 * z.sum(), split_of(6))
    for name, weight in model.named_parameters():
        left = 1 - 0.1 * 1.9 * 0.5 if weight.ndim > 1 and "whitening" not in name else 1
        torch.testing.assert_close(weight.detach(), left * before[name])


# ---- objectives ----


def batch_of(weight=None) -> Batch:
    images = torch.from_numpy(split_of(6).images).float() / 255
    labels = torch.from_numpy(split_of(6).labels)
    return Batch(images, labels, labels if weight is None else labels.flip(0), weight)


def test_the_label_objective_weighs_labels_where_the_batch_is_mixed():
    logits, plain = model_of()(batch_of().images).detach(), training.label_objective(0.1)
    one = plain(logits, batch_of()).item()
    assert plain(logits, batch_of(torch.ones(6))).item() == pytest.approx(one)
    other = plain(logits, dataclasses.replace(batch_of(), labels=batch_of().labels.flip(0))).item()
    assert plain(logits, batch_of(torch.full((6,), 0.25))).item() == pytest.approx(0.25 * one + 0.75 * other)
    assert training.label_objective(0.0)(logits, batch_of()).item() != pytest.approx(one)


def linear_model(seed: int = 0) -> nn.Module:
    """A model whose logits differ between images by about 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 3))
    model[2].weight.data *= 3
    return model


def test_a_student_equal_to_its_teacher_has_nothing_to_learn():
    teacher = linear_model().train()
    objective = training.distillation_objective(teacher, temperature=4, alpha=1.0, precision="float32")
    logits = linear_model().eval()(batch_of().images).detach().requires_grad_()
    loss = objective(logits, batch_of())
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-6) and logits.grad.abs().max() < 1e-6
    assert not teacher.training and all(weight.grad is None for weight in teacher.parameters())
    assert objective(linear_model(1).eval()(batch_of().images), batch_of()).item() > 0.01


def test_the_teacher_sees_the_view_of_the_student():
    objective = training.distillation_objective(linear_model(), temperature=1, alpha=1.0, precision="float32")
    logits, other = (
        linear_model().eval()(batch_of().images),
        dataclasses.replace(batch_of(), images=batch_of().images / 2),
    )
    assert objective(logits, batch_of()).item() == pytest.approx(0, abs=1e-6)
    assert objective(logits, other).item() > 0.01


# ---- files ----


def run_script(name: str, seed: int, settings: dict, **files) -> None:
    """Run a training script as Snakemake does, in this process."""
    argv = [name, f"--seed={seed}", f"--settings={json.dumps(settings)}", "--code=abc"]
    argv += [f"--{option}={path}" for option, path in files.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", argv)
        patch.setattr(commands, "_die_with_parent", lambda: None)  # it would tie the tests to their shell
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")


def train(folder: Path, name: str = "a", seed: int = 1, settings: dict = BASELINE, script="train_baseline", **files):
    """Train on small splits and return the checkpoint's path; `files` replaces or adds files."""
    folder.mkdir(exist_ok=True)
    paths = {"train": folder / "train", "val": folder / "val"} | files
    for split, images in (("train", split_of()), ("val", split_of(6, seed=1))):
        if not (folder / split).exists():
            datasets.write_splits(folder / split, {split: images}, {})
    written = {"checkpoint": folder / f"{name}.safetensors", "history": folder / f"{name}.parquet"}
    run_script(script, seed, settings, **paths, **written)
    return written["checkpoint"]


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
        torch.testing.assert_close(found, model_of(seed).body.head.weight.detach())


def test_the_checkpoint_tells_what_made_it_and_not_when_or_where(trained):
    _, metadata = checkpoints.read(trained)
    assert metadata.keys() == {"settings", "code", "packages", "seed", "shape", "device", "precision"}
    assert metadata["settings"] == BASELINE and metadata["settings"]["recipe"]["threads"] == 1
    assert metadata["shape"] == {"channels": 1, "size_px": 16, "n_classes": 3}
    assert (metadata["code"], metadata["seed"]) == ("abc", 1)
    assert (metadata["device"], metadata["precision"]) == ("cpu", "float32")
    assert metadata["packages"]["torch"] == torch.__version__.split("+")[0]
    assert str(trained.parent).encode() not in trained.read_bytes()


def test_the_precision_that_was_used_is_told(tmp_path):
    _, metadata = checkpoints.read(train(tmp_path, settings=BASELINE | {"recipe": RECIPE | {"precision": "auto"}}))
    assert metadata["settings"]["recipe"]["precision"] == "auto" and metadata["precision"] in ("float32", "bfloat16")


def test_the_history_stands_beside_the_checkpoint(trained):
    history = schemas.read_table(trained.with_suffix(".parquet"), schemas.SCHEMAS["training"])
    assert history["epoch"].to_pylist() == [0, 1]
    assert schemas.read_metadata(trained.with_suffix(".parquet")) == checkpoints.read(trained)[1]


def test_the_normalisation_is_that_of_the_training_images(trained):
    tensors, pixels = checkpoints.read(trained)[0], split_of().images / 255
    assert tensors["mean"].item() == pytest.approx(pixels.mean(), abs=1e-6)
    assert tensors["std"].item() == pytest.approx(pixels.std(ddof=1), abs=1e-6)


def test_no_training_script_is_given_the_test_split():
    assert set(training.FILES) == {"train", "val", "checkpoint", "history"}
    for script in ("train_teacher", "train_baseline", "distill_student", "train_augmented"):
        assert "test" not in (SCRIPTS / f"{script}.py").read_text()


def test_nothing_is_learned_from_other_splits(trained, tmp_path):
    # A training file that also holds a test split, and another val: the same weights.
    splits = {"train": split_of(), "test": split_of(9, seed=5)}
    datasets.write_splits(tmp_path / "train", splits, {})
    datasets.write_splits(tmp_path / "val", {"val": split_of(12, seed=7)}, {})
    assert train(tmp_path).read_bytes() == trained.read_bytes()


def test_a_student_is_trained_by_its_teacher(trained, tmp_path):
    student = {"network": NETWORK, "recipe": RECIPE, "temperature": 4.0, "alpha": 0.9}
    path = train(tmp_path, settings=student, script="distill_student", teacher=trained)
    assert checkpoints.read(path)[1]["settings"] == student
    without = train(tmp_path, "b", settings=student | {"alpha": 0.0}, script="distill_student", teacher=trained)
    learned, alone, labels = (checkpoints.read(each)[0] for each in (path, without, trained))
    assert not torch.equal(learned["body.head.weight"], alone["body.head.weight"])
    assert all(torch.equal(alone[name], labels[name]) for name in labels)  # alpha 0 is the baseline


def test_a_failed_training_leaves_no_file(tmp_path):
    with pytest.raises(SystemExit, match=r"^train_baseline: loss is (nan|inf) at epoch 0, step \d, learning rate"):
        train(tmp_path, settings=BASELINE | {"recipe": RECIPE | {"optimizer": SGD | {"learning_rate": 1e30}}})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train", "val"]

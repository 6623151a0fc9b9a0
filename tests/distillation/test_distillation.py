"""What a student minimises: whose logits, of which view, how transformed, and that files stand for teachers."""

import dataclasses
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import assert_close
from scipy.optimize import minimize_scalar
from small_training import (
    BASELINE,
    CPU,
    KD,
    NETWORK,
    RECIPE,
    SGD,
    STUDENT,
    model_of,
    recipe_of,
    run_script,
    split_of,
    train,
)
from torch import nn

from selfdoubt.data import datasets, masks
from selfdoubt.distillation import objectives, soft_labels
from selfdoubt.distillation.teachers import Teachers, average
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import methods, table_files
from selfdoubt.runtime.schemas.training import PARTS_SCHEMA, TRAINING_SCHEMA
from selfdoubt.training import losses
from selfdoubt.training.batches import Batch, Stream
from selfdoubt.training.loop import Training
from selfdoubt.training.resume import Keeper

torch.set_num_threads(1)


def batch_of() -> Batch:
    images, labels = torch.from_numpy(split_of(6).images).float() / 255, torch.from_numpy(split_of(6).labels)
    return Batch(images, labels, labels, None, 0, slice(0, 6), 6, torch.arange(6))


def kd(temperature: float):
    return partial(losses.distillation, temperature=temperature, alpha=1.0)


def linear_model(seed: int = 0) -> nn.Module:
    """A model whose logits differ between images by about 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(256, 3))
    model[2].weight.data *= 3
    return model


def test_a_student_equal_to_its_teacher_has_nothing_to_learn():
    teacher = linear_model().train()
    objective = objectives.FromTeacher(Teachers([teacher], "float32"), kd(4))
    logits = linear_model().eval()(batch_of().images).detach().requires_grad_()
    loss = objective(logits, batch_of())
    loss.backward()
    # targets are float16, so about 1e-3 of its logits is lost
    assert loss.item() == pytest.approx(0, abs=1e-4) and logits.grad.abs().max() < 1e-3
    assert not teacher.training and all(weight.grad is None for weight in teacher.parameters())
    assert objective(linear_model(1).eval()(batch_of().images), batch_of()).item() > 0.01


def test_the_teacher_sees_the_view_of_the_student():
    objective = objectives.FromTeacher(Teachers([linear_model()], "float32"), kd(1))
    logits, other = (
        linear_model().eval()(batch_of().images),
        dataclasses.replace(batch_of(), images=batch_of().images / 2),
    )
    assert objective(logits, batch_of()).item() == pytest.approx(0, abs=1e-5)
    assert objective(logits, other).item() > 0.01


def test_a_transform_is_applied_before_the_loss():
    logits = linear_model().eval()(batch_of().images)
    objective = objectives.FromTeacher(Teachers([linear_model(1)], "float32"), kd(1), lambda targets, batch: logits)
    assert objective(logits, batch_of()).item() == pytest.approx(0, abs=1e-5)


# ---- teachers ----


def test_the_target_of_several_is_their_mean_probability():
    models = [linear_model(seed).eval() for seed in range(3)]
    expected = torch.stack([model(batch_of().images).softmax(1) for model in models]).mean(0)
    targets = Teachers(models, "float32").targets(batch_of())
    assert_close(targets.logits.exp(), expected, rtol=2e-3, atol=1e-4)  # logarithms of it, in half precision
    alone, twice = (Teachers(each, "float32").targets(batch_of()) for each in (models[:1], models[:1] * 2))
    assert_close(twice.logits.softmax(1), alone.logits.softmax(1), rtol=2e-3, atol=1e-4)
    assert alone.mutual_information is None and twice.mutual_information.abs().max() < 1e-7


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        # mean (.7, .3): H .61086; of the members .32508 and .69315, .50912 on average
        ([[0.9, 0.1], [0.5, 0.5]], 0.10175),
        ([[1, 0], [0, 1]], 0.69315),  # each certain, of another class: log 2
        ([[0.25, 0.75], [0.25, 0.75]], 0),
    ],
)
def test_mutual_information_is_the_entropy_of_the_mean_less_the_mean_entropy(members, expected):
    logits = torch.tensor(members).clamp_min(1e-30).log()[:, None]  # of one image
    targets = average(logits)
    assert targets.mutual_information.tolist() == pytest.approx([expected], abs=1e-5)
    assert targets.logits.exp()[0].tolist() == pytest.approx(np.mean(members, 0))


def test_at_temperature_1_an_ensembles_loss_has_the_gradient_of_its_members_mean_loss():
    models, gradients = [linear_model(seed) for seed in (1, 2)], []
    for given in ([Teachers(models, "float32")], [Teachers([model], "float32") for model in models]):
        logits = linear_model().eval()(batch_of().images).detach().requires_grad_()
        (sum(objectives.FromTeacher(each, kd(1))(logits, batch_of()) for each in given) / len(given)).backward()
        gradients.append(logits.grad)
    assert_close(*gradients, rtol=1e-2, atol=1e-4)  # of targets in half precision


@pytest.mark.parametrize("top_k", [None, 2])
def test_the_target_of_a_fixed_view_is_that_of_the_image(top_k):
    split, teacher = split_of(), Teachers([linear_model()], "float32", top_k)
    fixed = teacher.fixed(split.images, CPU)
    whole = Batch(inference.as_pixels(split.images, CPU), None, None, None)
    for batch in Stream(split, recipe_of(shift_px=2), 1, CPU).epoch(3):
        assert_close(fixed.targets(batch).logits, teacher.targets(whole).logits[batch.positions], rtol=0, atol=2e-3)
        assert not torch.allclose(fixed.targets(batch).logits, teacher.targets(batch).logits, atol=0.05)
        assert np.array_equal(split.labels[batch.positions], batch.labels)


# ---- the script ----


@pytest.fixture(scope="module")
def teachers(tmp_path_factory) -> list[Path]:
    """Two that have learned something, so that their confidence differs between images."""
    folder, network = tmp_path_factory.mktemp("teachers"), NETWORK | {"widths": [8, 8, 8]}
    recipe = RECIPE | {"epochs": 16, "optimizer": SGD | {"learning_rate": 0.5, "momentum": 0.5}}
    settings = BASELINE | {"network": network, "recipe": recipe}
    return [train(folder, f"t{seed}", seed, settings, "train_on_labels") for seed in (1, 2)]


def stored(folder: Path, *teachers: Path, mixing: dict | None = None, **files) -> Path:
    names = ("epochs", "batch_size", "shift_px", "crop", "flip", "n_workers", "precision", "device", "threads")
    files = {"train": teachers[0].parent / "train", "teacher": [*teachers], "output": folder / "stored.arrow"} | files
    settings = {name: RECIPE[name] for name in names} | {"top_k": None, "max_gb": None} | (mixing or {})
    run_script("precompute_soft_labels", 1, settings, **files)
    return files["output"]


LOSSES = {
    "kd": KD,
    "dkd": {"method": "dkd", "temperature": 4.0, "alpha": 1.0, "beta": 8.0},
    "hard": {"method": "hard", "alpha": 0.5},
    "cwtm": {"method": "cwtm"},
    "logits": {"method": "logits", "alpha": 0.5},
    "ranked": KD | {"method": "ranked", "weight": 1.0, "margin": 1.0},
    "adaptive": {
        "method": "adaptive-temperature",
        "temperature_at_margin_0": 1.0,
        "temperature_at_margin_1": 4.0,
        "alpha": 0.9,
    },
}
TRANSFORMS = {
    "permuted": {"method": "permuted", "permutation": "per-sample"},
    "permuted-fixed": {"method": "permuted", "permutation": "fixed"},
    "corrected": {"method": "corrected"},
    "scaled": {"method": "scaled", "factor": 3.0},
    "temperature-scaled": {"method": "temperature-scaled"},
    "entropy-shuffled": {"method": "entropy-shuffled", "temperature": 4},
    "difficulty-shuffled": {"method": "difficulty-shuffled"},
}
ARMS = {name: STUDENT | {"loss": loss} for name, loss in LOSSES.items()}
ARMS |= {name: STUDENT | {"target_transform": transform} for name, transform in TRANSFORMS.items()}


def test_every_arm_learns_alike_from_files_and_from_its_teacher_and_each_something_else(teachers, tmp_path):
    path, found = stored(tmp_path, teachers[0]), {}
    for name, settings in ARMS.items():
        options = {"settings": settings, "script": "distill_student", "teacher": teachers[0]}
        asking = train(tmp_path, f"{name}-asking", **options)
        reading = train(tmp_path, f"{name}-reading", **options, soft_labels=path)
        assert asking.read_bytes() == reading.read_bytes(), name
        assert asking.with_suffix(".parquet").read_bytes() == reading.with_suffix(".parquet").read_bytes(), name
        found[name] = checkpoints.read(asking)[0]["body.head.weight"].numpy().tobytes()
    assert len(set(found.values())) == len(ARMS)


def test_histories_have_the_parts_of_the_divergence_where_the_loss_has_one(teachers, tmp_path):
    for name, measured in (("kd", True), ("dkd", True), ("hard", False)):
        train(tmp_path, name, settings=ARMS[name], script="distill_student", teacher=teachers[0])
        schema = PARTS_SCHEMA if measured else TRAINING_SCHEMA
        history = table_files.read_table(tmp_path / f"{name}.parquet", schema)
        assert (history.column_names == PARTS_SCHEMA.names) == measured
        assert not measured or min(history["tckd"].to_pylist() + history["nckd"].to_pylist()) > 0


def test_what_is_measured_is_summed_over_the_images_of_an_epoch_and_kept_with_the_state(tmp_path):
    """Batches of 8, 8 and 4 images with 1, 2 and 3: a mean of (8 + 16 + 12) / 20; a part of a run counts once."""

    class Counting:
        columns, calls, stop_at = ("tckd", "nckd"), 0, None

        def __call__(self, logits, batch):
            if self.calls == self.stop_at:
                raise KeyboardInterrupt
            self.calls += 1
            self.measured = torch.tensor([self.calls % 3 or 3, 0.0])
            return nn.functional.cross_entropy(logits, batch.labels)

    def training(objective):
        stream = Stream(split_of(), recipe_of(), 1, CPU)
        return Training(model_of(), stream, objective, split_of(6), Keeper(tmp_path / "state", "key", 0))

    interrupted, resumed = Counting(), Counting()
    interrupted.stop_at, resumed.calls = 5, 5
    with pytest.raises(KeyboardInterrupt):
        training(interrupted).run()
    assert [row["tckd"] for row in training(resumed).run()] == pytest.approx([36 / 20] * 2)


def test_several_teachers_are_one_that_a_file_stands_for(teachers, tmp_path):
    path, options = stored(tmp_path, *teachers), {"settings": STUDENT, "script": "distill_student"}
    both = train(tmp_path, "asking", **options, teacher=teachers)
    reading = train(tmp_path, "reading", **options, teacher=teachers, soft_labels=path)
    assert both.read_bytes() == reading.read_bytes()
    assert both.read_bytes() not in [train(tmp_path, t.stem, **options, teacher=t).read_bytes() for t in teachers]


@pytest.mark.parametrize("top_k", [None, 2])
def test_a_file_of_several_teachers_has_their_targets_to_the_last_bit(tmp_path, top_k):
    asked, stream = (
        Teachers([linear_model(0), linear_model(1)], "float32", top_k),
        Stream(split_of(), recipe_of(), 1, CPU),
    )
    soft_labels.write(tmp_path / "a", asked, stream, 1, {})
    for batch in stream.epoch(0):
        expected, found = asked.targets(batch), soft_labels.read(tmp_path / "a", CPU).targets(batch)
        assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
        assert found.mutual_information.shape == (len(batch.labels),) and found.mutual_information.min() > 0


def test_a_fixed_view_is_another_teacher(teachers, tmp_path):
    fixed = STUDENT | {"teacher_view": "fixed"}
    still = {"recipe": RECIPE | {"shift_px": 0, "flip": False}}
    options = {"script": "distill_student", "teacher": teachers[0]}
    heads = [
        checkpoints.read(train(tmp_path, f"s{i}", settings=settings, **options))[0]["body.head.weight"]
        for i, settings in enumerate((STUDENT, fixed, STUDENT | still, fixed | still))
    ]
    assert not torch.allclose(heads[0], heads[1])
    assert_close(heads[2], heads[3], rtol=1e-3, atol=1e-4)  # where views are the images themselves


@pytest.mark.parametrize("n", [1, 2])
def test_the_teachers_temperature_is_fitted_on_val(teachers, tmp_path, n):
    val, paths = split_of(60, seed=3), teachers[:n]
    val.labels[::5] = (val.labels[::5] + 1) % 3  # a teacher without errors wants the lowest temperature there is
    datasets.write_splits(tmp_path / "val", {"val": val}, {})
    logits = [inference.predict_logits(checkpoints.load_model(path, CPU), val.images) for path in paths]
    p = np.mean([np.exp(z) / np.exp(z).sum(1, keepdims=True) for z in logits], axis=0, dtype=np.float64)

    def nll(log_temperature: float) -> float:
        powers = p ** np.exp(-log_temperature)
        return -np.log((powers / powers.sum(1, keepdims=True))[range(60), val.labels]).mean()

    best = np.exp(minimize_scalar(nll, bounds=(-5, 5)).x)
    settings = SimpleNamespace(target_transform=SimpleNamespace(method="temperature-scaled"))
    job = SimpleNamespace(settings=settings, val=tmp_path / "val", teacher=paths, replicate=1)
    transform = objectives.transform_of(job, CPU)
    assert 1 / transform(torch.ones(1, 3), None)[0, 0].item() == pytest.approx(best, rel=1e-3)
    assert 0.002 < best < 100 and abs(np.log(best)) > 0.1  # neither an end of the range nor what changes nothing


MIXINGS = {
    "mixup": {"mixing": {"method": "mixup", "probability": 0.5, "alpha": 1.0}, "masks": None},
    "mask-cutmix": {
        "mixing": {
            "method": "mask-cutmix",
            "probability": 1.0,
            "n_placements": 2,
            "labels": "object-area",
            "mask_control": "permuted",
        },
        "masks": None,
    },
}


def mixed_files(folder: Path, method: str) -> dict:
    """Masks of blocks at other places in each image, where a method mixes by them."""
    if method == "mixup":
        return {}
    blocks = np.zeros((20, 16, 16), bool)
    for i in range(20):
        blocks[i, i // 2 : i // 2 + 6, i % 7 : i % 7 + 6] = True
    masks.write_masks(folder / "masks", blocks, {})
    return {"masks": folder / "masks"}


@pytest.mark.parametrize("method", MIXINGS)
def test_a_student_of_mixed_images_learns_alike_from_a_file(teachers, tmp_path, method):
    files = mixed_files(tmp_path, method)
    path = stored(tmp_path, teachers[0], mixing=MIXINGS[method], **files)
    options, found = {"script": "distill_student", "teacher": teachers[0], **files}, {}
    for alpha in (0.5, 1.0):
        settings = STUDENT | MIXINGS[method] | {"loss": KD | {"alpha": alpha}}
        asking = train(tmp_path, f"asking-{alpha}", settings=settings, **options)
        reading = train(tmp_path, f"reading-{alpha}", settings=settings, **options, soft_labels=path)
        assert asking.read_bytes() == reading.read_bytes()
        found[alpha] = checkpoints.read(asking)[0]["body.head.weight"]
    plain = checkpoints.read(train(tmp_path, "plain", settings=STUDENT, **options))[0]["body.head.weight"]
    assert not torch.allclose(found[0.5], found[1.0]) and not torch.allclose(found[1.0], plain)


def test_with_also_clean_a_student_learns_of_the_clean_images_too(teachers, tmp_path):
    options, found = {"script": "distill_student", "teacher": teachers, "settings": STUDENT}, {}
    mixing = {"method": "cutmix", "probability": 1.0, "beta": 1.0}
    for eta in (None, 1.0):
        own = {"mixing": mixing if eta is None else mixing | {"also_clean": eta}, "masks": None}
        path = train(tmp_path, str(eta), **options | {"settings": STUDENT | own})
        found[eta] = checkpoints.read(path)[0]["body.head.weight"]
    plain = checkpoints.read(train(tmp_path, "plain", **options))[0]["body.head.weight"]
    assert not torch.allclose(found[1.0], found[None]) and not torch.allclose(found[1.0], plain)


def test_the_loss_with_also_clean_is_the_sum_by_hand():
    clean, mixed = torch.tensor([[0.5, 0.25, 0.25]]).log(), torch.tensor([[0.2, 0.2, 0.6]]).log()
    batch = Batch(torch.zeros(2, 1, 1, 1), torch.tensor([0]), torch.tensor([2]), torch.tensor([0.7]))
    targets = SimpleNamespace(targets=lambda batch: soft_labels.Targets(torch.zeros(2, 3)))
    loss = partial(methods.load("distillation.losses", "kd").loss, settings=SimpleNamespace(alpha=0.0, temperature=1.0))
    found = objectives.FromTeacher(targets, loss, eta=2.0)(torch.cat([clean, mixed]), batch).item()
    expected = -np.log(0.5) + 2 * (-0.7 * np.log(0.2) - 0.3 * np.log(0.6))
    assert found == pytest.approx(expected, rel=1e-5)
    loss = partial(methods.load("distillation.losses", "kd").loss, settings=SimpleNamespace(alpha=1.0, temperature=1.0))
    found = objectives.FromTeacher(targets, loss, eta=2.0)(torch.cat([clean, mixed]), batch).item()
    divergences = [(-np.log(3) - each.numpy().mean()) for each in (clean, mixed)]  # of uniform targets
    assert found == pytest.approx(divergences[0] + 2 * divergences[1], rel=1e-5)


def test_the_labels_of_mixed_images_by_hand():
    # 0.7 of class 0 and 0.3 of class 2, of an image in which the student finds 0.5, 0.25, 0.25.
    batch = Batch(torch.zeros(1, 1, 1, 1), torch.tensor([0]), torch.tensor([2]), torch.tensor([0.7]))
    assert_close(objectives.labels_of(batch, 3), torch.tensor([[0.7, 0.0, 0.3]]))
    logits = torch.tensor([[0.5, 0.25, 0.25]]).log()
    targets = SimpleNamespace(targets=lambda batch: soft_labels.Targets(logits))
    for method, settings in (("kd", {"temperature": 1.0}), ("logits", {}), ("hard", {})):
        loss = methods.load("distillation.losses", method).loss
        given = partial(loss, settings=SimpleNamespace(alpha=0.0, **settings))
        expected = -0.7 * np.log(0.5) - 0.3 * np.log(0.25)
        assert objectives.FromTeacher(targets, given)(logits, batch).item() == pytest.approx(expected, rel=1e-5)


# ---- distilled disagreement ----


DISAGREEMENT = {"disagreement": {"weight": 1.0, "shuffled": False}}


def test_a_student_learns_how_far_its_teachers_disagree(teachers, tmp_path):
    """Alike from a file, and something else than from shuffled targets; the column stands in its predictions."""
    path, options = stored(tmp_path, *teachers), {"script": "distill_student", "teacher": teachers}
    asking = train(tmp_path, "asking", settings=STUDENT | DISAGREEMENT, **options)
    reading = train(tmp_path, "reading", settings=STUDENT | DISAGREEMENT, **options, soft_labels=path)
    assert asking.read_bytes() == reading.read_bytes()
    shuffled = {"disagreement": {"weight": 1.0, "shuffled": True}}
    control = train(tmp_path, "control", settings=STUDENT | shuffled, **options, soft_labels=path)
    assert control.read_bytes() != asking.read_bytes()
    files = {"checkpoint": asking, "val": tmp_path / "val", "test": tmp_path / "test", "output": tmp_path / "p.parquet"}
    datasets.write_splits(tmp_path / "test", {"test": split_of(9, seed=4)}, {})
    run_script("predict", 1, {"mc_dropout_passes": 0}, **files, ood=[], shifted=[])
    found = predictions_by_split(table_files.read_table(tmp_path / "p.parquet"))["test"].signals["disagreement"]
    model = checkpoints.load_model(asking, CPU)
    assert np.array_equal(found, inference.predict_disagreement(model, split_of(9, seed=4).images))


def test_a_student_may_teach_the_next_generation(teachers, tmp_path):
    options, heads = {"script": "distill_student"}, []
    twin = train(tmp_path, "twin", settings=STUDENT | {"twin": 1}, teacher=teachers[0], **options)
    for name, teacher in (("first", teachers[0]), ("second", twin)):
        path = train(tmp_path, name, settings=STUDENT, teacher=teacher, **options)
        heads.append(checkpoints.read(path)[0]["body.head.weight"])
        assert (
            train(tmp_path / "again", name, settings=STUDENT, teacher=teacher, **options).read_bytes()
            == path.read_bytes()
        )
    assert not torch.allclose(*heads)

"""Techniques: each by hand, all at once, and interrupted at any step."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_training import BASELINE, CPU, model_of, recipe_of, split_of, train
from torch import nn

from selfdoubt.models import checkpoints
from selfdoubt.runtime import methods
from selfdoubt.training import batch_statistics, losses
from selfdoubt.training.batches import Batch, Stream
from selfdoubt.training.distributed import ALONE
from selfdoubt.training.loop import Training
from selfdoubt.training.resume import Keeper
from selfdoubt.training.technique import Techniques
from selfdoubt.training.techniques import crl

SAM = {"method": "sam", "rho": 0.5}
SWA = {"method": "swa", "start_fraction": 0.5, "factor": 0.5, "lowest_factor": None, "cycle_epochs": 1}
SELF = {"method": "self-distillation", "decay": 0.75, "temperature": 2.0, "alpha": 0.25}
ADVERSARIAL = {"method": "adversarial", "epsilon_255": 8, "signs": "gradient", "n_steps": 2, "step_255": 5}
EACH = {
    "adversarial": [ADVERSARIAL],
    "crl": [{"method": "crl", "weight": 1.0}],
    "logit-norm": [{"method": "logit-norm", "temperature": 0.1}],
    "regmixup": [{"method": "regmixup", "alpha": 10.0, "eta": 1.0}],
    "sam": [SAM],
    "self-distillation": [SELF],
    "swa": [SWA],
}
ALL = [technique for techniques in EACH.values() for technique in techniques]


def of(settings: dict, model=None, stream=None, **changed):
    """A technique by its settings."""
    settings = SimpleNamespace(**settings | changed)
    return methods.load("training.techniques", settings.method).Technique(settings, model, stream)


def stream_of(**recipe) -> SimpleNamespace:
    """What a technique asks of a stream: 3 steps an epoch."""
    nothing = {"seed": 1, "ranks": ALONE, "epoch": lambda epoch: []}
    return SimpleNamespace(recipe=recipe_of(**recipe), n_batches=3, **nothing)


def training_of(techniques: list, objective=None, keeper: Keeper | None = None, **recipe) -> tuple:
    """A training with techniques, and its model."""
    model = model_of()
    stream = Stream(split_of(), recipe_of(**recipe), 1, CPU)
    settings = [SimpleNamespace(**each) for each in techniques]
    objective = objective or losses.from_labels()
    done = Training(model, stream, objective, split_of(6), keeper, None, Techniques(settings, model, stream))
    return done, model


# ---- each by hand ----


class Quadratic(nn.Module):
    """w1^2 / 2 + 2 w2^2 at (3, 1), and a count of its evaluations."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([3.0, 1.0]))
        self.register_buffer("n_seen", torch.zeros(()))

    def gradients(self) -> tuple:
        self.n_seen += 1
        loss = (self.w**2 * torch.tensor([0.5, 2.0])).sum()
        loss.backward()
        return self.w.detach().clone(), loss.detach()


def test_a_step_of_sam_on_a_quadratic():
    # The gradient is (3, 4), of length 5; at w + 0.5 (3, 4) / 5 = (3.3, 1.4) it is (3.3, 5.6).
    model = Quadratic()
    where, loss = of(SAM, model).gradients(model.gradients)
    assert_close(model.w.grad, torch.tensor([3.3, 5.6]))
    assert torch.equal(model.w.detach(), torch.tensor([3.0, 1.0])) and torch.equal(where, model.w.detach())
    assert loss == 6.5  # 9 / 2 + 2
    assert model.n_seen == 1  # the second pass leaves no trace


def test_a_loss_that_is_not_finite_at_the_worst_weights_is_seen():
    model, found = nn.Linear(1, 1), iter([1.0, float("nan")])

    def gradients():
        loss = model(torch.ones(1, 1)).sum() * next(found)
        loss.backward()
        return loss.detach(), loss.detach()

    assert torch.isnan(of(SAM, model).gradients(gradients)[1])


def test_sam_keeps_the_statistics_of_its_first_pass():
    """At a rate that moves no weight, and however far the second pass is."""
    models = []
    for techniques in ([], [SAM | {"rho": 1.0}]):
        training, model = training_of(techniques, learning_rate=1e-12)
        training.run()
        models.append(dict(model.named_buffers()))
    assert models[0] and all(torch.equal(models[1][name], buffer) for name, buffer in models[0].items())


@pytest.mark.parametrize(
    ("lowest", "cycle", "expected"),
    # 4 epochs of 3 steps, of which the last two are averaged: in a line within each cycle, or constant
    [(None, 1, [0.5] * 6), (0.2, 1, [0.4, 0.3, 0.2] * 2), (0.2, 2, [0.45, 0.4, 0.35, 0.3, 0.25, 0.2])],
)
def test_the_learning_rates_of_weight_averaging(lowest, cycle, expected):
    technique = of(SWA, nn.Linear(1, 1), stream_of(epochs=4), lowest_factor=lowest, cycle_epochs=cycle)
    assert [technique.factor(0.9, step) for step in range(6)] == [0.9] * 6
    assert [technique.factor(0.9, step) for step in range(6, 12)] == pytest.approx(expected)


@pytest.mark.parametrize(("cycle", "expected"), [(1, (4 + 6 + 10 + 20) / 4), (2, (6 + 20) / 2)])
def test_the_mean_of_weights(cycle, expected):
    model = nn.Linear(1, 1, bias=False)
    technique = of(SWA, model, stream_of(epochs=6), start_fraction=0.4, cycle_epochs=cycle)  # after 2 of 6 epochs
    for epoch, weight in enumerate([1.0, 2.0, 4.0, 6.0, 10.0, 20.0]):
        nn.init.constant_(model.weight, weight)
        technique.end_epoch(epoch, model)
    assert model.weight.item() == pytest.approx(expected)


def test_statistics_are_the_mean_of_those_of_the_batches():
    model = nn.Sequential(nn.BatchNorm1d(1))
    values = [torch.tensor([[1.0], [3.0]]), torch.tensor([[4.0], [12.0]]), torch.tensor([[6.0], [6.0]])]
    batch_statistics.recompute(model, model, [SimpleNamespace(images=images) for images in values])
    assert model[0].running_mean.item() == pytest.approx((2 + 8 + 6) / 3)
    assert model[0].running_var.item() == pytest.approx((2 + 32 + 0) / 3)  # unbiased, as torch has it
    assert model[0].momentum == 0.1


def test_a_model_ends_as_the_mean_with_statistics_of_its_own():
    """Of views of the training images that no epoch has shown; validation is of the model that is kept."""
    seen = []

    def watched(logits, batch):
        seen.append(model.body.head.weight.detach().clone())  # before each step
        return losses.from_labels()(logits, batch)

    training, model = training_of([SWA], watched, epochs=4)  # of 3 steps
    rows = training.run()
    last = training_of([], epochs=4)
    assert [row["learning_rate"] for row in rows[2:]] == pytest.approx([0.05, 0.05])
    assert not torch.equal(model.body.head.weight, seen[-1])
    logits = model.eval()(torch.from_numpy(split_of(6).images).float() / 255)
    expected = nn.functional.cross_entropy(logits, torch.from_numpy(split_of(6).labels))
    assert rows[-1]["val_loss"] == pytest.approx(expected.item(), rel=1e-5)
    buffers, others = dict(model.named_buffers()), dict(last[1].named_buffers())
    assert any(not torch.equal(buffers[name], others[name]) for name in buffers if "running" in name)


def test_the_ranking_loss_by_hand():
    # Neighbours, the last with the first: 0.5 - (-1)(0.9 - 0.6) = 0.8; 0.5 - (0.6 - 0.7) = 0.6; equal pasts, so 0.
    confidence, past = torch.tensor([0.9, 0.6, 0.7]), torch.tensor([0.5, 1.0, 0.5])
    assert_close(crl.ranking_loss(confidence, past), torch.tensor((0.8 + 0.6 + 0) / 3))
    # In order and as far apart as their pasts are, in both directions: nothing is lost.
    confidence, past = torch.tensor([0.9, 0.4]), torch.tensor([0.75, 0.25])
    assert_close(crl.ranking_loss(confidence, past), torch.tensor(0.0))


def test_the_past_of_images_is_what_was_correct():
    seen = [np.zeros(20), np.zeros(20)]

    def watched(logits, batch):
        seen[0][batch.positions] += (logits.argmax(1) == batch.labels).numpy()
        seen[1][batch.positions] += 1
        return losses.from_labels()(logits, batch)

    training, _ = training_of(EACH["crl"], watched, learning_rate=1.0, epochs=5)
    training.run()
    tensors = training._tensors()
    assert 0 < seen[0].sum() < seen[1].sum() == 100
    for counts, name in zip(seen, ("n_correct", "n_seen"), strict=True):
        assert np.array_equal(tensors[f"techniques.crl.{name}"], counts)


def test_what_is_ranked_is_the_fraction_of_times_that_an_image_was_correct():
    # Of two views each, 2 and 1 were: 1 and 1/2, whose difference is all that equal confidences lose, twice of two.
    stream = stream_of()
    stream.n_images = 2
    technique, zeros = of(EACH["crl"][0], OneWeight(), stream), torch.zeros(2).long()
    batch = Batch(torch.zeros(2, 1, 1, 1), zeros, zeros, None, positions=torch.arange(2))
    for logits in ([[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]):
        technique.learned(torch.tensor(logits), batch)
    assert technique.objective(lambda logits, batch: 0.0)(torch.zeros(2, 2), batch).item() == pytest.approx(1 / 2)


def test_the_first_epoch_of_crl_is_that_of_cross_entropy():
    rows = [training_of(techniques, learning_rate=1.0, epochs=2)[0].run() for techniques in ([], EACH["crl"])]
    assert rows[0][0] == rows[1][0] and rows[0][1]["train_loss"] < rows[1][1]["train_loss"]


def test_normalised_logits_by_hand():
    # (3, 4) has length 5: (0.6, 0.8) / 0.1 = (6, 8), and the loss of class 0 is log(1 + e^2).
    batch = Batch(torch.zeros(1, 1, 1, 1), torch.tensor([0]), torch.tensor([0]), None)
    objective = of(EACH["logit-norm"][0]).objective(losses.from_labels())
    for length in (1, 100):
        loss = objective(length * torch.tensor([[3.0, 4.0]]), batch)
        assert loss.item() == pytest.approx(np.log(1 + np.exp(2)), rel=1e-5)


class OneWeight(nn.Module):
    """Logits (w x, 0) of images of one pixel x."""

    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.0))

    def forward(self, images):
        return torch.stack([self.w * images.flatten(), torch.zeros(len(images))], 1)


def test_the_average_of_ones_own_weights_by_hand():
    # The mean of 1, 3, 8 and 4 until the decay would be above 0.75, and from then on a moving average.
    model = OneWeight()
    technique, batch = of(SELF, model, stream_of()), None
    averages = []
    for step, weight in enumerate([1.0, 3.0, 8.0, 4.0, 12.0]):
        model.w.data.fill_(weight)
        technique.extended(batch, step)
        averages.append(technique.tensors()["module.w"].item())
    assert averages == pytest.approx([1, 2, 4, 4, 0.75 * 4 + 0.25 * 12])


def test_self_distillation_by_hand():
    """Of a model with w = 1 whose average has w = 3, at temperature 2, for an image of one pixel, 2."""
    model = OneWeight()
    technique = of(SELF, model, stream_of())
    for step, weight in enumerate([5.0, 1.0]):
        model.w.data.fill_(weight)
        technique.extended(None, step)
    batch = Batch(torch.full((1, 1, 1, 1), 2.0), torch.tensor([1]), torch.tensor([1]), None)
    p, q = 1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-1))  # logits 6 and 2, by 2
    divergence = p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))
    expected = 0.75 * np.log(1 + np.exp(2)) + 0.25 * 2**2 * divergence
    loss = technique.objective(losses.from_labels())(model(batch.images), batch)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert model.w.grad is not None and technique._average.module.w.grad is None


def test_regmixup_by_hand():
    """Images of one pixel, which is their number: what is mixed, with what, and how much it costs."""
    pixels = torch.arange(4.0).view(4, 1, 1, 1)
    batch = Batch(pixels, torch.tensor([0, 1, 0, 1]), torch.tensor([0, 1, 0, 1]), None, n_whole=4)
    technique = of(EACH["regmixup"][0], None, stream_of(), eta=0.5)
    both = technique.extended(batch, step=7)
    assert torch.equal(both.images[:4], pixels) and torch.equal(both.images[4:], both.mixed.images)
    partner = (both.mixed.images.flatten() - both.mixed.weight * torch.arange(4.0)) / (1 - both.mixed.weight)
    assert sorted(partner.round().tolist()) == [0, 1, 2, 3]
    assert torch.equal(both.mixed.other_labels, batch.labels[partner.round().long()])
    assert len(set(both.mixed.weight.tolist())) == 4  # a lambda for each image
    loss = technique.objective(lambda logits, part: logits.sum() + (part.weight is not None))(torch.ones(8, 1), both)
    assert loss == 4 + 0.5 * (4 + 1)
    assert torch.equal(technique.extended(batch, step=7).images, both.images)
    assert not torch.equal(technique.extended(batch, step=8).images, both.images)


@pytest.mark.parametrize(("label", "moved"), [(0, 0.5 - 8 / 255), (1, 0.5 + 8 / 255)])
def test_images_are_moved_away_from_their_label(label, moved):
    """By one step so long that it ends at the edge, wherever it starts; the logits are (2 x, 0)."""
    model = OneWeight()
    model.w.data.fill_(2.0)
    batch = Batch(torch.full((3, 1, 1, 1), 0.5), torch.full((3,), label), torch.full((3,), label), None, n_whole=3)
    technique = of(ADVERSARIAL, model, stream_of(), n_steps=1, step_255=16)
    assert_close(technique.extended(batch, 0).images, torch.full((3, 1, 1, 1), moved))
    assert model.w.requires_grad and technique.passes_before == 1


def test_the_control_of_adversarial_images_has_random_signs():
    batch = Batch(torch.full((30, 1, 4, 4), 0.5), torch.zeros(30).long(), torch.zeros(30).long(), None, n_whole=30)
    technique = of(ADVERSARIAL, None, stream_of(), signs="random", n_steps=None, step_255=None)
    delta = technique.extended(batch, 0).images - 0.5
    assert_close(delta.abs(), torch.full_like(delta, 8 / 255))
    assert 0.3 < (delta > 0).float().mean() < 0.7 and technique.passes_before == 0
    again, next_step = (technique.extended(batch, step).images - 0.5 for step in (0, 1))
    technique._stream.seed = 2
    assert torch.equal(again, delta)
    assert not any(torch.equal(other, delta) for other in (next_step, technique.extended(batch, 0).images - 0.5))


# ---- in the loop ----


@pytest.mark.parametrize(
    "far", [{"n_steps": 1, "step_255": 128}, {"signs": "random", "n_steps": None, "step_255": None}]
)
def test_statistics_after_adversarial_training_are_those_of_clean_images(far):
    """Of the views of the epoch that follows, in the layer that no other normalises before."""
    training, model = training_of([ADVERSARIAL | {"epsilon_255": 128, "step_255": 128} | far])
    training.run()
    layer = next(each for each in model.modules() if isinstance(each, nn.BatchNorm2d))
    seen = []
    layer.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0].mean((0, 2, 3))))
    with torch.no_grad():
        for batch in Stream(split_of(), recipe_of(), 1, CPU).epoch(2):
            model(batch.images)
    assert_close(layer.running_mean, torch.stack(seen).mean(0))


@pytest.mark.parametrize("techniques", EACH)
def test_each_changes_a_training_and_repeats_it(techniques):
    found = []
    for each in ([], EACH[techniques], EACH[techniques]):
        training, model = training_of(each, learning_rate=0.5, epochs=4)
        training.run()
        found.append(model.body.head.weight.detach())
    assert torch.equal(found[1], found[2]) and not torch.allclose(found[0], found[1])


@pytest.mark.parametrize(
    "stop_at", [2, 5, 12, 19, 24]
)  # calls of the loss, four a step: of images and mixed ones, twice
def test_all_at_once_may_be_interrupted_at_any_step(tmp_path, stop_at, capsys):
    def run(stop: int, folder) -> dict:
        calls, plain = [], losses.from_labels()

        def stopping(logits, batch):
            calls.append(1)
            if len(calls) == stop:
                raise KeyboardInterrupt
            return plain(logits, batch)

        training, model = training_of(ALL, stopping, Keeper(folder, "key", minutes=0), epochs=2)
        training.run()
        return model.state_dict()

    with pytest.raises(KeyboardInterrupt):
        run(stop_at, tmp_path / "one")
    resumed, undisturbed = run(0, tmp_path / "one"), run(0, tmp_path / "other")
    assert ("resuming" in capsys.readouterr().out) == (stop_at > 4)
    assert all(torch.equal(resumed[name], tensor) for name, tensor in undisturbed.items())


def test_the_passes_of_an_image_are_counted(tmp_path):
    """Of the image and a mixed one, each of them twice, and two before: in images per second, and in the checkpoint."""
    training, _ = training_of(ALL)
    seen = []
    training._progress = SimpleNamespace(epoch=lambda epoch, n_images, **_: seen.append(n_images))
    training.run()
    assert seen == [6 * 20, 6 * 20]
    path = train(tmp_path, settings=BASELINE | {"techniques": ALL})
    assert checkpoints.read(path)[1]["passes_per_image"] == 6
    assert "passes_per_image" not in checkpoints.read(train(tmp_path, "b"))[1]

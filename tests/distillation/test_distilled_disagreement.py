"""Distilled disagreement: what the further output of a student learns, beside its loss."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_training import CPU, KD, NETWORK, model_of, recipe_of, split_of

from selfdoubt.distillation import disagreement, objectives
from selfdoubt.distillation.losses import kd
from selfdoubt.distillation.teachers import Teachers
from selfdoubt.models.classifier import build_model
from selfdoubt.training.batches import Batch, Stream
from selfdoubt.training.loop import Training
from selfdoubt.training.resume import Keeper

torch.set_num_threads(1)


def batch_of() -> Batch:
    images, labels = torch.from_numpy(split_of(6).images).float() / 255, torch.from_numpy(split_of(6).labels)
    return Batch(images, labels, labels, None, 0, slice(0, 6), 6, torch.arange(6))


def kd_loss(logits, labels, teacher_logits) -> torch.Tensor:
    return kd.loss(logits, labels, teacher_logits, SimpleNamespace(**KD))


def test_the_loss_of_disagreement_by_hand():
    # Of 4 classes, h = log 4 / 4 and log 4 / 2: targets 1/4 and 1/2; outputs of sigmoid 1/2 and 3/4.
    output = torch.tensor([0.0, np.log(3)], requires_grad=True)
    information = torch.tensor([np.log(4) / 4, np.log(4) / 2])
    loss = disagreement.loss(output, information, None, SimpleNamespace(weight=3.0, shuffled=False), 4, 1)
    expected = 3 * (np.log(2) - (np.log(0.75) + np.log(0.25)) / 2) / 2
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    assert output.grad.tolist() == pytest.approx([3 / 2 * (0.5 - 0.25), 3 / 2 * (0.75 - 0.5)])


def test_shuffled_disagreement_is_that_of_others_of_the_label():
    batch, settings = batch_of(), SimpleNamespace(weight=1.0, shuffled=True)
    information = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])  # of labels 0, 1, 2, 0, 1, 2
    found = set()
    for seed in range(16):
        output = torch.zeros(6, requires_grad=True)
        disagreement.loss(output, information, batch, settings, 3, seed).backward()
        used = np.log(3) * (0.5 - 6 * output.grad)
        found.add(tuple(round(value, 5) for value in used.tolist()))
    assert len(found) == 8  # two orders of each of three labels
    for each in found:
        assert all(sorted(each[i::3]) == pytest.approx([0.1 * (i + 1), 0.1 * (i + 4)]) for i in range(3))


def test_what_is_learned_beside_the_loss_leaves_the_loss_alone():
    teachers, seen = Teachers([model_of(1), model_of(2)], "float32"), []
    targets, outputs = teachers.targets(batch_of()), torch.randn(6, 4)

    def further(output, information, batch, n_classes):
        seen.append((output, information, n_classes))
        return torch.tensor(100.0)

    plain = objectives.FromTeacher(teachers, kd_loss)(outputs[:, :3], batch_of())
    both = objectives.FromTeacher(teachers, kd_loss, further_loss=further)(outputs, batch_of())
    assert both.item() == pytest.approx(plain.item() + 100)
    ((output, information, n_classes),) = seen
    assert (
        torch.equal(output, outputs[:, 3]) and torch.equal(information, targets.mutual_information) and n_classes == 3
    )


@pytest.mark.parametrize("stop_at", [2, 4, 6])
def test_a_student_with_a_further_output_may_be_interrupted(tmp_path, stop_at):
    teachers = Teachers([model_of(1), model_of(2)], "float32")
    settings = SimpleNamespace(weight=1.0, shuffled=True)

    def run(folder: Path, stop: int) -> dict:
        calls = []

        def further(output, information, batch, n_classes):
            calls.append(1)
            if len(calls) == stop:
                raise KeyboardInterrupt
            return disagreement.loss(output, information, batch, settings, n_classes, 1)

        model = build_model(SimpleNamespace(**NETWORK), 3, 1, 16, disagreement=True)
        stream = Stream(split_of(), recipe_of(ema_decay=0.9), 1, CPU)
        objective = objectives.FromTeacher(teachers, kd_loss, further_loss=further)
        Training(model, stream, objective, split_of(6), Keeper(folder, "key", minutes=0)).run()
        return model.state_dict()

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "one", stop_at)
    resumed, undisturbed = run(tmp_path / "one", 0), run(tmp_path / "other", 0)
    assert all(torch.equal(resumed[name], tensor) for name, tensor in undisturbed.items())

"""A training step asks for no value of a tensor, for which a GPU would have to be waited for.

On the CPU nothing waits, but the operations that would are the same: those that read a number, or whose result has as
many rows as its values say. Between an epoch's first batch and its end there must be none.
"""

from types import SimpleNamespace

import pytest
import torch
from small_mixing import SETTINGS
from small_training import ADAMW, BASELINE, MUON, RECIPE, SGD, STUDENT, train
from test_techniques import EACH
from test_train_augmented import trained
from torch.optim.swa_utils import AveragedModel
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from selfdoubt.segmentation import segmenter
from selfdoubt.training import loop, optimizers
from selfdoubt.training.batches import Stream

WAITING = {"_local_scalar_dense", "equal", "is_nonzero", "masked_select", "nonzero", "unique_dim", "_unique2"}


class Waits(TorchDispatchMode):
    """Notes each operation on whose values its caller or the shape of its result depends."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        by_mask = name.startswith("index") and any(
            each is not None and each.dtype == torch.bool for each in (args[1] if isinstance(args[1], list) else [])
        )
        if name in WAITING or by_mask:
            self.found.append(str(func))
        return func(*args, **kwargs or {})


def unwatched(function):
    def call(*arguments):
        with _disable_current_modes():
            return function(*arguments)

    return call


@pytest.fixture
def waits(monkeypatch) -> Waits:
    """Watch all steps, and what makes their batches but for the first, of trainings that check losses as on a GPU."""
    found, step, epoch, average = Waits(), loop.Training._step, Stream.epoch, AveragedModel.update_parameters

    def watched_step(self, *arguments):
        self._most_unchecked = 1000
        with found:
            return step(self, *arguments)

    def watched_epoch(self, *arguments):
        batches = epoch(self, *arguments)
        yield next(batches)  # what is random about the epoch is drawn before it
        done = object()
        while True:
            with found:
                batch = next(batches, done)
            if batch is done:
                return
            yield batch

    # It reads a counter of its own, which stays on the CPU.
    monkeypatch.setattr(AveragedModel, "update_parameters", unwatched(average))
    monkeypatch.setattr(loop.Training, "_step", watched_step)
    monkeypatch.setattr(Stream, "epoch", watched_epoch)
    return found


def test_the_counter_of_an_average_is_on_the_cpu():
    average = AveragedModel(torch.nn.Linear(1, 1, device="meta"))
    assert average.n_averaged.device.type == "cpu" and average.module.weight.device.type == "meta"


def test_what_waits_is_noted(waits):
    values = torch.arange(3.0)
    with waits:
        values[values > 1], values[values > 1].sum(), values.sum().item(), values.nonzero()
        values[torch.tensor([1])], torch.where(values > 1, values, 0)
    assert len(waits.found) == 4


@pytest.mark.parametrize("recipe", [{}, {"ema_decay": 0.9, "max_gradient_norm": 1.0}, {"shift_px": 0}])
@pytest.mark.parametrize("technique", [None, *EACH])
def test_no_step_of_a_label_model_waits(waits, tmp_path, technique, recipe):
    settings = BASELINE | {"recipe": RECIPE | recipe, "techniques": EACH.get(technique, [])}
    train(tmp_path, settings=settings)
    assert waits.found == []


@pytest.mark.parametrize("optimizer", [SGD, ADAMW, MUON], ids=lambda optimizer: optimizer["method"])
def test_no_step_of_an_optimizer_waits(waits, tmp_path, optimizer):
    train(tmp_path, settings=BASELINE | {"recipe": RECIPE | {"optimizer": optimizer}})
    assert waits.found == []


@pytest.mark.parametrize("method", SETTINGS)
@pytest.mark.parametrize("values", [{}, {"also_clean": 1.0}])
def test_no_step_of_mixed_images_waits(waits, tmp_path, method, values):
    trained(tmp_path, "a", method, probability=0.5, **values)
    assert waits.found == []


@pytest.mark.parametrize("teacher_view", ["same", "fixed"])
def test_no_step_of_a_student_waits(waits, tmp_path, teacher_view):
    teachers = [train(tmp_path, f"t{seed}", seed) for seed in (1, 2)]
    waits.found.clear()
    settings = STUDENT | {"teacher_view": teacher_view}
    train(tmp_path, settings=settings, script="distill_student", teacher=teachers)
    assert waits.found == []


@pytest.mark.parametrize("balanced", [True, False])
def test_no_step_of_a_segmenter_waits(waits, balanced):
    model = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.Flatten(1, 2))
    labels = torch.arange(64).reshape(1, 8, 8) % 3
    batches = [(torch.rand(1, 1, 8, 8), labels), (torch.rand(1, 1, 8, 8), 0 * labels)]
    optimizer = optimizers.Optimizer(model, SimpleNamespace(**SGD))
    read = torch.Tensor.tolist
    with waits, pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "tolist", unwatched(read))  # of all losses, at the end
        segmenter._train_epoch(model, batches, optimizer, [1.0, 1.0], balanced)
    assert waits.found == []

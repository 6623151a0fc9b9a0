"""What a device computes: each way of training, and what trained models are asked, on a few made-up images.

A path is a function of the device that returns numbers, which two devices are compared by. Teachers, and the models
that are predicted with, are trained on the CPU once, so that a path differs by what it computes itself alone.
"""

import copy
import io
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from selfdoubt.communication import decisions
from selfdoubt.communication.probabilities import mean_probability
from selfdoubt.data.datasets import Split
from selfdoubt.distillation import objectives, soft_labels
from selfdoubt.distillation.teachers import Teachers
from selfdoubt.enhancers import selection
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.models import classifier, inference
from selfdoubt.runtime import devices
from selfdoubt.segmentation import pseudo_labels, segmenter
from selfdoubt.training import losses
from selfdoubt.training.batches import Stream
from selfdoubt.training.distributed import ALONE
from selfdoubt.training.loop import Training
from selfdoubt.training.technique import Techniques

CPU = torch.device("cpu")
N_CLASSES, SEED = 4, 1
# Norm of the difference over the norm of what training, an enhancer or messages change. Each step enlarges what another
# order of sums changes, so there are few, at a low rate; another path differs by more (test_check_gpu.py).
FLOAT32, BFLOAT16 = 0.05, 0.5


@dataclass(frozen=True)
class Size:
    """How much is computed."""

    n_images: int
    batch_size: int
    size_px: int
    widths: tuple[int, ...]
    n_timed: int  # images of an epoch that is timed
    repeats: int


TINY = Size(n_images=48, batch_size=16, size_px=16, widths=(2, 4, 4), n_timed=48, repeats=1)
WHOLE = Size(n_images=512, batch_size=128, size_px=28, widths=(16, 32, 64), n_timed=20_480, repeats=5)


class Made(NamedTuple):
    """What a path returns."""

    values: np.ndarray  # float64 (n,)
    start: np.ndarray | None = None  # the same before training, enhancement or messages

    def difference(self, other: "Made") -> float:
        """Return the norm of the difference over that of the other's change, or of its values; NaN if that is 0 too."""
        scale = other.values if other.start is None else other.values - other.start
        return float(np.linalg.norm(self.values - other.values) / np.linalg.norm(scale))


def made_up(n: int, size_px: int, seed: int = 0) -> Split:
    """Return images of noise with a brighter square, whose quarter is the class, and the square as the mask."""
    draws, labels, half = np.random.default_rng(seed), np.arange(n) % N_CLASSES, size_px // 2
    masks = np.zeros((n, size_px, size_px), bool)
    for label in range(N_CLASSES):
        row, column = half * (label // 2), half * (label % 2)
        masks[labels == label, row + 1 : row + half - 1, column + 1 : column + half - 1] = True
    images = draws.integers(0, 160, (n, 1, size_px, size_px), np.uint8) + 60 * masks[:, None].astype(np.uint8)
    return Split(images, labels, np.arange(n, dtype=np.int32), masks)


def recipe_of(size: Size, learning_rate: float = 0.01, **changed) -> SimpleNamespace:
    """Return a recipe of one epoch, as config.yaml's `recipes` are."""
    sgd = SimpleNamespace(method="sgd", learning_rate=learning_rate, momentum=0.9, weight_decay=5e-4)
    schedule = SimpleNamespace(method="triangular", warmup_fraction=0.25)
    plain = {"epochs": 1, "batch_size": size.batch_size, "optimizer": sgd, "schedule": schedule, "crop": None}
    plain |= {"max_gradient_norm": None, "ema_decay": None, "shift_px": 1, "flip": True, "n_workers": 0, "gpu": 1}
    plain |= {"validate_every": 1, "precision": "float32", "device": "auto", "threads": 1}
    return SimpleNamespace(**plain | changed)


class Unwaited(Training):
    """A training of which torch raises RuntimeError where a step waits for the GPU."""

    def _step(self, *arguments) -> None:
        self._most_unchecked = 1000  # losses are read at the end
        torch.cuda.set_sync_debug_mode("error")
        try:
            super()._step(*arguments)
        finally:
            torch.cuda.set_sync_debug_mode("default")


class Way(NamedTuple):
    """How a model is trained, beyond its recipe."""

    techniques: tuple[dict, ...] = ()
    objective: Callable[[torch.device, Stream], losses.Objective] | None = None  # None: from labels
    mixer: Mixer | None = None
    ranks: object = ALONE
    train: Split | None = None  # in the place of the paths' images
    kind: type[Training] = Training


class Paths:
    """The paths at one size; files go into `folder`."""

    def __init__(self, size: Size, folder: Path):
        self.size, self._folder = size, folder
        self.train = made_up(size.n_images, size.size_px)
        self._few = {name: made_up(40, size.size_px, seed) for seed, name in enumerate(("val", "test"), 1)}

    def all(self) -> Iterator[tuple[str, Callable[[torch.device], Made], float]]:
        """Yield the name of each path, its function of a device, and the largest difference between two devices."""
        swa = {"method": "swa", "start_fraction": 0.0, "factor": 0.5, "lowest_factor": None, "cycle_epochs": 1}
        cutmix = SimpleNamespace(method="cutmix", probability=0.5, beta=1.0)
        by_mask = SimpleNamespace(method="mask-cutmix", probability=0.5, n_placements=4, labels="object-area")
        yield "float32", self.weights, FLOAT32
        yield "bfloat16", partial(self.weights, precision="bfloat16"), BFLOAT16
        yield "sam", partial(self.weights, way=Way(({"method": "sam", "rho": 0.05},))), FLOAT32
        yield "swa", partial(self.weights, way=Way((swa,))), FLOAT32
        yield "ema", partial(self.weights, ema_decay=0.9), FLOAT32
        yield "cutmix", partial(self.weights, way=Way(mixer=Mixer(cutmix))), FLOAT32
        yield "mask-cutmix", partial(self.weights, way=Way(mixer=Mixer(by_mask, self.train.masks))), FLOAT32
        yield "distillation-online", partial(self.weights, way=Way(objective=self._online)), FLOAT32
        yield "distillation-stored", partial(self.weights, way=Way(objective=self._stored)), FLOAT32
        yield "segmenter", self.segmented, FLOAT32
        yield "predict", self.predicted, FLOAT32
        yield "enhancer", self.enhanced, FLOAT32
        yield "messages", self.decided, FLOAT32

    # ---- training ----

    def model(self, device: torch.device, seed: int = SEED) -> classifier.Classifier:
        """Return a network that is not trained."""
        network = SimpleNamespace(family="convnet", widths=list(self.size.widths))
        shape = {"n_classes": N_CLASSES, "channels": 1, "size_px": self.size.size_px}
        model = classifier.build_model(network, seed=seed, **shape)
        model.fit_input(inference.as_pixels(self.train.images, CPU))
        return model.to(device, memory_format=torch.channels_last)

    def weights(self, device: torch.device, way: Way = Way(), **recipe) -> Made:  # noqa: B008 - it never changes
        """Train for an epoch and return the weights; recipe: keys of it that differ."""
        model = self.model(device)
        start = flat(model)
        self.fit(model, device, way, **recipe)
        return Made(flat(model), start)

    def fit(self, model, device: torch.device, way: Way = Way(), **recipe) -> None:  # noqa: B008 - it never changes
        """Train a model in place, as `weights` does."""
        train = way.train or self.train
        stream = Stream(train, recipe_of(self.size, **recipe), SEED, device, way.mixer, way.ranks)
        asked = Techniques([SimpleNamespace(**each) for each in way.techniques], model, stream)
        minimised = way.objective(device, stream) if way.objective else losses.from_labels()
        with redirect_stdout(io.StringIO()):  # it prints each epoch
            way.kind(model, stream, minimised, self._few["val"], techniques=asked).run()

    def unwaited(self, device: torch.device) -> None:
        """Train in ways that draw or read something for each step; raise RuntimeError if one waits for the GPU."""
        swap = SimpleNamespace(method="background-swap", probability=0.5, background="noise", dilate_px=0, feather_px=1)
        regmixup, adversarial = {"method": "regmixup", "alpha": 10.0, "eta": 1.0}, {"method": "adversarial"}
        adversarial |= {"epsilon_255": 8, "signs": "gradient", "n_steps": 1, "step_255": 8}
        for way, recipe in (
            (Way(), {"ema_decay": 0.9}),
            (Way((regmixup,)), {}),
            (Way((adversarial,)), {}),
            (Way(mixer=Mixer(swap, self.train.masks)), {}),
            (Way(objective=self._stored), {}),
        ):
            self.fit(self.model(device), device, way._replace(kind=Unwaited), **recipe)

    @cache  # noqa: B019 - there is one object
    def _learned(self, seed: int) -> classifier.Classifier:
        model = self.model(CPU, seed)
        self.fit(model, CPU, epochs=12, learning_rate=0.1)
        return model

    def learned(self, device: torch.device, seed: int = 7) -> nn.Module:
        """Return a model that was trained on the CPU, on a device."""
        return copy.deepcopy(self._learned(seed)).to(device, memory_format=torch.channels_last).eval()

    def _online(self, device: torch.device, stream: Stream) -> losses.Objective:
        return self._student(Teachers([self.learned(device)], stream.recipe.precision))

    def _stored(self, device: torch.device, stream: Stream) -> losses.Objective:
        path = self._folder / f"{device.type}.arrow"
        soft_labels.write(path, Teachers([self.learned(device)], stream.recipe.precision), stream, 1, {})
        return self._student(soft_labels.SoftLabels(path, device))

    def _student(self, teacher) -> losses.Objective:
        return objectives.FromTeacher(teacher, partial(losses.distillation, temperature=4.0, alpha=0.9))

    def segmented(self, device: torch.device) -> Made:
        """Return the weights of a segmenter that learned from the maps of a teacher."""
        settings = SimpleNamespace(architecture="Unet", encoder="tu-regnetx_002", encoder_depth=2)
        vars(settings).update(decoder_channels=[8, 4], epochs=1, batch_size=self.size.batch_size, learning_rate=3e-3)
        vars(settings).update(foreground_above=0.5, background_below=0.15, refinement_steps=2)
        images = self.train.images
        pseudo = pseudo_labels.of_teacher(self.learned(device), images, self.train.labels, settings, device)
        network = segmenter.build_segmenter(settings, 1, SEED)
        start = flat(network)
        with redirect_stdout(io.StringIO()):
            segmenter.train_segmenter(network, images, pseudo, settings, SEED, device)
        return Made(flat(network), start)

    # ---- what trained models are asked ----

    def predicted(self, device: torch.device) -> Made:
        """Return the logits of images."""
        return Made(inference.predict_logits(self.learned(device), self._few["test"].images).astype(float).ravel())

    def enhanced(self, device: torch.device) -> Made:
        """Return the logits of images that were moved along a gradient."""
        settings = SimpleNamespace(method="odin", epsilon_255=2, temperature=1, precision="float32", models=[])
        found = selection.enhance(self.learned(device), self._few, settings, SEED)
        return Made(found.logits["test"].astype(float).ravel(), self.predicted(device).values)

    def decided(self, device: torch.device) -> Made:
        """Return the log probabilities of two models that send each other messages about every image."""
        settings = SimpleNamespace(method="persuasion", message="gradient", epsilon_255=8, n_steps=2, n_candidates=2)
        vars(settings).update(contested_below=1.1, precision="float32", gains_relative_to="none")
        models = {"one": self.learned(device), "two": self.learned(device, 8)}
        clean = [inference.predict_logits(model, self._few["test"].images) for model in models.values()]
        found = decisions.decide(models, self._few, settings, SEED).logits["test"]
        return Made(found.astype(float).ravel(), mean_probability(clean).ravel())

    # ---- speed ----

    def epochs_to_time(self, device: torch.device) -> tuple[Callable[[], None], Callable[[], None], int]:
        """Return an epoch of the training loop, one of a bare loop on batches in memory, and the images of each."""
        train = made_up(self.size.n_timed, self.size.size_px)
        precision = devices.precision_on(device, "auto") if device.type == "cuda" else "float32"
        stream = Stream(train, recipe_of(self.size, precision=precision), SEED, device)
        batches = [(batch.images, batch.labels) for batch in stream.epoch(0)]

        def ours() -> None:
            with redirect_stdout(io.StringIO()):
                Training(self.model(device), stream, losses.from_labels(), self._few["val"]).run()
            wait_for(device)

        def bare() -> None:
            model, loss_of = self.model(device).train(), nn.CrossEntropyLoss()
            learned = [weight for weight in model.parameters() if weight.requires_grad]
            optimizer = torch.optim.SGD(learned, lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
            for images, labels in batches:
                with devices.autocast(device, precision):
                    logits = model(images)
                loss = loss_of(logits.float(), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            wait_for(device)

        return ours, bare, stream.rows_per_epoch


def flat(model: nn.Module) -> np.ndarray:
    """Return the weights of a model that are learned, float64 (n,)."""
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    return torch.cat([weight.detach().cpu().double().flatten() for weight in learned]).numpy()


def wait_for(device: torch.device) -> None:
    """Wait until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)

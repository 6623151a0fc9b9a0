"""The training rows of the targets: our loop against a bare one, against peers, and with what it offers."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from measure import Row, in_turn
from torch import nn

from selfdoubt.data import catalog, datasets
from selfdoubt.distillation import objectives as student
from selfdoubt.distillation import soft_labels
from selfdoubt.distillation.teachers import Teachers
from selfdoubt.mixing.mixer import Mixer
from selfdoubt.models import classifier, inference
from selfdoubt.runtime import devices
from selfdoubt.settings.data import Dataset
from selfdoubt.settings.source_files import Folders
from selfdoubt.training import losses
from selfdoubt.training.batches import Stream
from selfdoubt.training.loop import Training

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
N_IMAGES, N_VAL = 2_560, 10  # short sides in turn: a slow minute of the machine hits both
STUDENT = SimpleNamespace(family="convnet", widths=[16, 32, 64])
TEACHER = SimpleNamespace(family="convnet", widths=[64, 128, 128])
TEMPERATURE, ALPHA = 4.0, 0.9
RECIPE = SimpleNamespace(
    epochs=1,
    batch_size=128,
    optimizer=SimpleNamespace(method="sgd", learning_rate=0.2, momentum=0.9, weight_decay=5e-4),
    schedule=SimpleNamespace(method="triangular", warmup_fraction=0.25),
    max_gradient_norm=None,
    ema_decay=None,
    shift_px=1,
    crop=None,
    n_workers=0,
    validate_every=1,
    flip=True,
    device="auto",
    gpu=1,
    threads=1,
)


def rows() -> Iterator[Row]:
    device = devices.prepare(RECIPE.device, RECIPE.threads)
    RECIPE.precision = devices.precision_on(device, "auto")
    bench = _Bench(device)
    labels = losses.from_labels()
    yield bench.row("training loop, augmentation included", "a bare loop", labels, bench.bare_loop, "≥", 0.93)
    yield from _optional(bench.lightning_row)
    with tempfile.TemporaryDirectory() as folder:
        stored = bench.stored(Path(folder) / "stored.arrow")
        yield from _optional(lambda: bench.torchdistill_row(stored))
        yield bench.time_row("a student from stored soft labels", "the same from labels alone", stored, labels, 1.08)
    placed = {"n_placements": 8, "labels": "object-area"}
    yield bench.mixing_row("mask-cutmix", placed, "choosing among placements costs the same for any network")
    painted = {"dilate_px": 1, "feather_px": 1, "background": "painted"}
    yield bench.mixing_row("background-swap", painted, "painting over costs the same for any network")


class _Bench:
    """A network, images, and one epoch in many ways."""

    def __init__(self, device: torch.device):
        splits, _ = catalog.load(Dataset(source="embedded:fashion-mnist-12k"), Folders(RESOURCES, RESOURCES))
        self.train = datasets.take(splits["train"], np.arange(N_IMAGES))
        self.val = datasets.take(splits["val"], np.arange(N_VAL))
        self.device = device
        self.stream = Stream(self.train, RECIPE, 1, device)

    def model(self, network=STUDENT, layout=torch.channels_last) -> classifier.Classifier:
        model = classifier.build_model(network, n_classes=10, channels=1, size_px=28, seed=1)
        model.fit_input(inference.as_pixels(self.train.images[:1000], torch.device("cpu")))
        return model.to(self.device, memory_format=layout)

    def epoch(self, objective, stream=None):
        """Return a function that trains for one epoch."""

        def run() -> None:
            with redirect_stdout(io.StringIO()):  # it prints each epoch
                Training(self.model(), stream or self.stream, objective, self.val).run()

        return run

    def row(self, what: str, against: str, objective, theirs, bound: str, target: float) -> Row:
        ours, other = in_turn(self.epoch(objective), theirs)
        n = self.stream.rows_per_epoch
        return Row(what, against, n / ours, n / other, "images/s", bound, target)

    def time_row(self, what: str, against: str, objective, reference, target: float) -> Row:
        ours, theirs = in_turn(self.epoch(objective), self.epoch(reference))
        return Row(what, against, ours, theirs, "s an epoch", "≤", target)

    # ---- our own sides ----

    def bare_loop(self) -> None:
        """Forward, backward and step on batches that are floats in memory already."""
        model, loss_of = self.model().train(), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(
            [p for p in model.parameters() if p.requires_grad], lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4
        )
        for images, labels in self.batches:
            with devices.autocast(self.device, RECIPE.precision):
                logits = model(images)
            loss = loss_of(logits.float(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    @property
    def batches(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        if not hasattr(self, "_batches"):
            self._batches = [(batch.images, batch.labels) for batch in self.stream.epoch(0)]
        return self._batches

    def stored(self, path: Path) -> losses.Objective:
        """Return the objective of a student whose soft labels are in a file."""
        teachers = Teachers([self.model(TEACHER)], RECIPE.precision)
        soft_labels.write(path, teachers, self.stream, RECIPE.epochs, {})
        loss = partial(losses.distillation, temperature=TEMPERATURE, alpha=ALPHA)
        return student.FromTeacher(soft_labels.SoftLabels(path, self.device), loss)

    def mixing_row(self, method: str, own: dict, reason: str) -> Row:
        """Mixing by masks against no mixing; the masks are the pixels above 0."""
        mixing = SimpleNamespace(method=method, probability=0.5, **own)
        masks = (self.train.images > 0).any(1)
        mixed = Stream(self.train, RECIPE, 1, self.device, Mixer(mixing, masks))
        labels = losses.from_labels()
        ours, theirs = in_turn(self.epoch(labels, mixed), self.epoch(labels))
        return Row(method, "no mixing", ours, theirs, "s an epoch", "≤", 1.05, f"{reason}, and this one is small")

    # ---- peers ----

    def images(self, transform) -> torch.utils.data.Dataset:
        return _Images(self.train, transform)

    def lightning_row(self) -> Row:
        """torch-uncertainty's routine and trainer, with the transforms and workers of its MNIST data module."""
        import logging
        import warnings

        from torch.utils.data import DataLoader
        from torch_uncertainty import TUTrainer
        from torch_uncertainty.routines import ClassificationRoutine
        from torchvision.transforms import v2

        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
        warnings.filterwarnings("ignore")
        steps = [v2.ToImage(), v2.RandomCrop(28, padding=4), v2.ToDtype(torch.float32, scale=True)]
        data = self.images(v2.Compose(steps))
        loader = DataLoader(data, RECIPE.batch_size, shuffle=True, num_workers=1, persistent_workers=True)
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}

        def theirs():
            model = self.model(layout=torch.contiguous_format)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
            routine = ClassificationRoutine(model, 10, nn.CrossEntropyLoss(), optim_recipe=optimizer)
            trainer = TUTrainer(max_epochs=1, accelerator="auto", enable_checkpointing=False, **quiet)
            trainer.fit(routine, train_dataloaders=loader)

        against = "torch-uncertainty with Lightning"
        labels = losses.from_labels()
        row = self.row("training loop, augmentation included", against, labels, theirs, "≥", 3)
        row.reason = "in float32 both sides wait for the same convolutions; the target was set with bfloat16"
        return row

    def torchdistill_row(self, stored) -> Row:
        """torchdistill's DistillationBox, as its examples train image classifiers."""
        from torchdistill.core.distillation import get_distillation_box
        from torchvision.transforms import v2

        steps = [v2.ToImage(), v2.RandomCrop(28, padding=1), v2.RandomHorizontalFlip()]
        data = self.images(v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True)]))
        teacher = self.model(TEACHER, torch.contiguous_format)
        shuffled = {"class_or_func": torch.utils.data.RandomSampler, "kwargs": {}}
        loader = {"dataset_id": "train", "sampler": shuffled, "kwargs": {"batch_size": RECIPE.batch_size}}
        loss = {"key": "KDLoss", "kwargs": {"student_module_path": ".", "student_module_io": "output"}}
        loss["kwargs"] |= {"teacher_module_path": ".", "teacher_module_io": "output", "reduction": "batchmean"}
        loss["kwargs"] |= {"temperature": TEMPERATURE, "alpha": ALPHA}
        hooks = {"input": [], "output": []}
        terms = {"kd": {"criterion": loss, "weight": 1.0}}
        sgd = {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4, "nesterov": True}
        config = {
            "num_epochs": 1,
            "train_data_loader": loader,
            "val_data_loader": dict(loader),
            "teacher": {"forward_proc": "forward_batch_only", "sequential": [], "wrapper": "", "requires_grad": False}
            | {"forward_hook": hooks, "frozen_modules": []},
            "student": {"forward_proc": "forward_batch_only", "adaptations": {}, "sequential": [], "wrapper": ""}
            | {"forward_hook": hooks, "frozen_modules": [], "requires_grad": True},
            "optimizer": {"key": "SGD", "kwargs": sgd},
            "criterion": {"key": "WeightedSumLoss", "kwargs": {"sub_terms": terms}},
        }

        def theirs():
            student = self.model(layout=torch.contiguous_format)
            args = (teacher, student, {"train": data}, config, self.device, None, False, 1)
            box = get_distillation_box(*args)
            box.pre_epoch_process(epoch=0)
            for images, targets, extra in box.train_data_loader:
                images, targets = images.to(self.device), targets.to(self.device)
                box.post_forward_process(loss=box.forward_process(images, targets, extra))
            box.post_epoch_process()

        against = "torchdistill's DistillationBox"
        return self.row("a student from stored soft labels", against, stored, theirs, "≥", 5)


class _Images(torch.utils.data.Dataset):
    """The images as peers read them: one by one, through PIL."""

    def __init__(self, split, transform):
        from PIL import Image

        self.images = [Image.fromarray(np.asarray(image[0])) for image in split.images]
        self.labels, self.transform = split.labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int):
        return self.transform(self.images[i]), self.labels[i]


def _optional(make) -> Iterator[Row]:
    try:
        yield make()
    except ImportError as missing:
        print(f"skipped: {missing.name} is not installed; make bench installs it")

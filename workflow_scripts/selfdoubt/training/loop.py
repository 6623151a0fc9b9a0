"""The training loop of all teachers, baselines, students and augmented models.

It can be killed at any moment and resumes bit for bit: its state is saved every 10 minutes and after each epoch, and
random numbers are functions of (seed, purpose, step or epoch). The checkpoint is the last epoch's: no split selects it.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial

import torch
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from selfdoubt.data import datasets, own_images
from selfdoubt.models import checkpoints, classifier, inference, weight_files
from selfdoubt.runtime import devices, digests, randomness, table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.schemas.training import PARTS_SCHEMA, TRAINING_SCHEMA
from selfdoubt.training import optimizers, schedules
from selfdoubt.training.batches import Batch, Stream, mixer_of
from selfdoubt.training.distributed import Ranks, launch
from selfdoubt.training.losses import Objective
from selfdoubt.training.progress import Progress
from selfdoubt.training.resume import Keeper
from selfdoubt.training.technique import Techniques

_STEPS_UNCHECKED = 16  # on a GPU, at most: a training whose loss is not finite goes on for so many steps


class Training:
    """The training of a model on a stream; `run` resumes from the last saved state."""

    def __init__(
        self,
        model: classifier.Classifier,
        stream: Stream,
        objective: Objective,
        val,
        keeper: Keeper | None = None,
        progress: Progress | None = None,
        techniques: Techniques | None = None,
    ):
        """Prepare a training by the recipe, the seed and the ranks of its stream."""
        recipe = stream.recipe
        self._techniques = techniques or Techniques([], model, stream)
        self._model, self._stream, self._val = model, stream, val
        self._objective = self._techniques.objective(objective)
        self._keeper, self._progress = keeper, progress or Progress(None, recipe.epochs)
        self._device = next(model.parameters()).device
        self._optimizer = optimizers.Optimizer(model, recipe.optimizer)
        self._average = None
        if recipe.ema_decay is not None:
            self._average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True)
        self._total = torch.zeros((), dtype=torch.float64, device=self._device)  # loss of this epoch's images
        self._measuring, self._columns = objective, getattr(objective, "columns", ())  # a student's
        self._measured = torch.zeros(len(self._columns), dtype=torch.float64, device=self._device)  # summed likewise
        self._epoch, self._n_done, self._history = 0, 0, []  # n_done: batches of this epoch
        self._unchecked: list[tuple[torch.Tensor, str]] = []  # losses of the last steps, each with where it was
        self._most_unchecked = 1 if self._device.type == "cpu" else _STEPS_UNCHECKED

    def run(self) -> list[dict]:
        """Train the model in place and return a row per epoch of TRAINING_SCHEMA, or of PARTS_SCHEMA.

        With `ema_decay`, the model ends with averaged weights. Raises UserError soon after the first step whose loss is
        not finite, which it names, at the first evaluation on val whose loss is not finite, or if memory runs out.
        """
        self._restore()
        forward = self._stream.ranks.wrap(self._model)
        if getattr(self._stream.recipe, "compile", None):
            forward = torch.compile(forward)
        while self._epoch < self._stream.recipe.epochs:
            self._model.train()
            with devices.out_of_memory_as_user_error(f"recipes: batch_size {self._stream.recipe.batch_size}"):
                for batch in self._stream.epoch(self._epoch, self._n_done):
                    self._step(forward, batch)
                    if self._keeper and self._keeper.due():
                        self._keep()
            self._end_epoch(forward)
        if self._average is not None:
            self._model.load_state_dict(self._average.module.state_dict())
        return self._history

    def _step(self, forward: Callable, batch: Batch) -> None:
        recipe, step = self._stream.recipe, self._epoch * self._stream.n_batches + self._n_done
        factor, batch = self._factor(step), self._techniques.extended(batch, step)
        logits, total = self._techniques.gradients(lambda: self._gradients(forward, batch, step))
        rate = factor * recipe.optimizer.learning_rate
        self._unchecked.append((total, f"at epoch {self._epoch}, step {step}, learning rate {rate:.4g}"))
        if len(self._unchecked) == self._most_unchecked:
            self._check_losses()
        self._techniques.learned(logits.detach(), batch)
        if recipe.max_gradient_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), recipe.max_gradient_norm)
        self._optimizer.step(factor)
        if self._average is not None:
            self._average.update_parameters(self._model)
        self._total += total
        if self._columns:
            self._measured += self._stream.ranks.sum(self._measuring.measured * len(batch.labels))
        self._n_done += 1

    def _check_losses(self) -> None:
        """Raise UserError at the first of the last steps whose loss is not finite.

        On a GPU it is called once in 16 steps, since reading a loss waits for the GPU, and before any state is saved.
        """
        losses = torch.stack([total for total, _ in self._unchecked]).tolist() if self._unchecked else []
        for loss, (_, where) in zip(losses, self._unchecked, strict=True):
            if not math.isfinite(loss):
                raise UserError(f"loss is {loss} {where}")
        self._unchecked.clear()

    def _gradients(self, forward: Callable, batch: Batch, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Add the gradients of a batch, and return its logits, and the sum of its losses on all ranks."""
        ranks = self._stream.ranks
        torch.manual_seed(randomness.key(self._stream.seed, "dropout", step, ranks.rank) % 2**63)
        logits = self._forward(forward, batch.images)
        loss = self._objective(logits, batch)
        (loss * ranks.weight(len(batch.labels), batch.n_whole)).backward()
        return logits, ranks.sum(loss.detach() * len(batch.labels))

    def _forward(self, forward: Callable, images: torch.Tensor) -> torch.Tensor:
        with devices.autocast(self._device, self._stream.recipe.precision):
            return forward(images)

    def _factor(self, step: int) -> float:
        """Return the factor of the peak learning rate at a step of the whole training."""
        recipe, n_steps = self._stream.recipe, self._stream.recipe.epochs * self._stream.n_batches
        return self._techniques.factor(schedules.factor(step, n_steps, recipe.schedule), step)

    def _end_epoch(self, forward: Callable) -> None:
        self._check_losses()
        recipe, n_images = self._stream.recipe, self._stream.rows_per_epoch
        factor = self._factor((self._epoch + 1) * self._stream.n_batches - 1)
        row = {"epoch": self._epoch, "learning_rate": factor * recipe.optimizer.learning_rate}
        self._techniques.end_epoch(self._epoch, partial(self._forward, forward))
        row["train_loss"] = self._total.item() / n_images
        row |= dict(zip(self._columns, (self._measured / n_images).tolist(), strict=True))
        if self._stream.ranks.first:
            row |= self._validated()
            n_passed, shown = n_images * self._techniques.passes, {"loss": row["train_loss"]}
            shown |= {"accuracy": row["val_accuracy"]} if "val_accuracy" in row else {}
            self._progress.epoch(self._epoch, n_passed, **shown)
            print(" ".join(f"{name}={value:.5g}" for name, value in row.items()), flush=True)
        self._history.append(row)
        self._total.zero_()
        self._measured.zero_()
        self._epoch, self._n_done = self._epoch + 1, 0
        self._keep()

    def _validated(self) -> dict:
        """Return what `evaluate` does of the model as it is, where the recipe has this epoch validated."""
        recipe, n_done = self._stream.recipe, self._epoch + 1
        if n_done % recipe.validate_every and n_done < recipe.epochs:
            return {}
        found = evaluate(self._average.module if self._average is not None else self._model, self._val)
        if not math.isfinite(found["val_loss"]):
            raise UserError(f"val_loss is {found['val_loss']} after epoch {self._epoch}; lower the learning rate")
        return found

    # ---- state ----

    def _tensors(self) -> dict[str, torch.Tensor]:
        """Return all that a later step depends on, by name; all but the counters are the tensors in use."""
        parts = {"model": self._model.state_dict(), "optimizer": self._optimizer.state()}
        parts["techniques"] = self._techniques.tensors()
        if self._average is not None:
            parts["average"] = self._average.state_dict()
        named = {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
        return named | {"total": self._total} | ({"measured": self._measured} if self._columns else {})

    def _keep(self) -> None:
        self._check_losses()
        if self._keeper and self._stream.ranks.first:
            facts = {"epoch": self._epoch, "n_done": self._n_done, "history": self._history}
            self._keeper.save(self._tensors(), facts)

    def _restore(self) -> None:
        found = self._keeper.load() if self._keeper else None
        if found is None:
            return
        tensors, facts = found
        with torch.no_grad():
            for name, tensor in self._tensors().items():
                tensor.copy_(tensors[name])
        self._optimizer.restore({name.removeprefix("optimizer."): tensor for name, tensor in tensors.items()})
        self._epoch, self._n_done, self._history = facts["epoch"], facts["n_done"], facts["history"]
        print(f"resuming at epoch {self._epoch}, batch {self._n_done}", flush=True)


def evaluate(model: torch.nn.Module, val) -> dict:
    """Return val_loss, in nats, and val_accuracy of a model on a split."""
    logits = torch.from_numpy(inference.predict_logits(model, val.images))
    labels = torch.tensor(val.labels)
    accuracy = (logits.argmax(1) == labels).double().mean().item()
    return {"val_loss": F.cross_entropy(logits, labels).item(), "val_accuracy": accuracy}


# ---- a training script ----

FILES = {
    "train": "the training split",
    "val": "the validation split, evaluated after epochs",
    "weights": "a file of weights that the network starts from, if any",
    "checkpoint": "written: the last epoch's weights",
    "history": "written: a row per epoch",
}
OPTIONAL = {
    "state": "a folder for the state of an interrupted training; removed at the end",
    "progress": "written: JSON lines for watch.py",
}
MASKS = {"masks": "of the training images by a segmenter, where they are mixed by those"}
SEVERAL = ("weights",)  # as a list, which may be empty
_INPUTS = ("train", "val", "masks", "teacher", "soft_labels", "start")


def train_to_files(job, make_objective: Callable[[torch.device, str], Objective], n_views: int = 1) -> None:
    """Build a model, train it, and write its checkpoint and history.

    job: the paths of FILES and OPTIONAL, a model's `settings` (with `network` and `recipe`, and `mixing` where its
    images are mixed), `replicate` and `metadata`. make_objective: f(device, precision). n_views: of each image, that
    the objective needs.
    """
    recipe = job.settings.recipe
    _check_devices(recipe)
    launch(recipe.gpu)
    train, shape = own_images.read_train(job.train, job.settings, job.replicate)
    _check_labels(train, job)
    val, seed = datasets.read_split(job.val, "val"), randomness.seed_of(job)
    ranks = Ranks.from_environment()
    device = ranks.join(devices.prepare(recipe.device, recipe.threads))
    recipe.precision = devices.precision_on(device, recipe.precision)
    if ranks.first:
        print(devices.describe(device, recipe.precision, recipe.threads), flush=True)
    stream = Stream(train, recipe, seed, device, mixer_of(job, train), ranks, n_views)
    model = _model_of(train.images, shape, job, device)
    weights = {"weights": weight_files.sha256(job.weights[0])} if job.weights else {}
    metadata = job.metadata | weights | {"shape": shape, "device": device.type, "precision": recipe.precision}
    techniques = Techniques(getattr(job.settings, "techniques", []), model, stream)
    metadata |= {"passes_per_image": techniques.passes} if hasattr(job.settings, "techniques") else {}
    keeper = Keeper(job.state, _key(job, metadata)) if job.state else None
    progress = Progress(job.progress if ranks.first else None, recipe.epochs)
    objective = make_objective(device, recipe.precision)
    history = Training(model, stream, objective, val, keeper, progress, techniques).run()
    ranks.leave()
    if not ranks.first:
        return
    schema = PARTS_SCHEMA if getattr(objective, "columns", ()) else TRAINING_SCHEMA
    table_files.write_rows(job.history, history, schema, metadata)
    checkpoints.save(job.checkpoint, model, metadata)
    progress.end()
    if keeper:
        keeper.remove()


def _check_devices(recipe) -> None:
    """Raise UserError if there are fewer GPUs than ranks: Snakemake clips a job's request to what it has."""
    n = torch.cuda.device_count() if recipe.device != "cpu" and torch.cuda.is_available() else recipe.gpu
    if n < recipe.gpu:
        raise UserError(f"recipes: gpu {recipe.gpu}, but {n} were leased; give --resources gpu={recipe.gpu} or more")


def _check_labels(train, job) -> None:
    """Raise UserError if a model is to learn from labels of several people, and its images have none."""
    if getattr(job.settings, "labels", "hard") == "soft" and train.label_probabilities is None:
        what = "labels: soft, but no label_probabilities came with the training images"
        raise UserError(f"{job.train}: {what}; add them to the source (docs/datasets.md), or set labels: hard")


def _model_of(images, shape: dict, job, device: torch.device) -> classifier.Classifier:
    """Build a model on the device, its normalisation fitted to training images, or load the one that it starts from."""
    given = {"weights": job.weights[0]} if job.weights else {}
    given |= {"disagreement": getattr(job.settings, "disagreement", None) is not None}
    model = classifier.build_model(job.settings.network, seed=randomness.seed_of(job), **shape, **given)
    if hasattr(job, "start"):
        model.load_state_dict(checkpoints.read(job.start)[0])
    else:
        model.fit_input(inference.sample_pixels(images))
    return model.to(device, memory_format=torch.channels_last)


def _key(job, metadata: dict) -> str:
    """Return the digest of all that decides the result: settings, code, packages, device and the input files."""
    given = [getattr(job, name) for name in _INPUTS if hasattr(job, name)]
    paths = itertools.chain.from_iterable(each if isinstance(each, list) else [each] for each in given)
    return digests.digest(metadata, [path for path in paths if path is not None])

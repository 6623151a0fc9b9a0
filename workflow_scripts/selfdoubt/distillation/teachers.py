"""Teachers that compute the targets of each batch as it comes, and what the mean of several is."""

from types import SimpleNamespace

import numpy as np
import torch

from selfdoubt.data import own_images
from selfdoubt.distillation.soft_labels import Targets, compress, expand
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import devices
from selfdoubt.runtime.errors import UserError


class Teachers:
    """One trained model, whose logits are the targets, or several, whose mean probability is.

    Several views of an image count as several teachers do.
    """

    def __init__(
        self,
        models: list[torch.nn.Module],
        precision: str,
        top_k: int | None = None,
        held_out: np.ndarray | None = None,
    ):
        """held_out: bool (models, n), which of the n training images each model gives a target of; None: of all.

        Every image gets targets from equally many models.
        """
        self._models, self._precision, self.top_k = [model.eval() for model in models], precision, top_k
        self._held_out = None if held_out is None else torch.from_numpy(held_out)

    def targets(self, batch) -> Targets:
        """Return the targets of a batch, rounded as if they had been stored."""
        exact = self.exact(batch)
        return expand(compress(exact, self.top_k), exact.logits.shape[1])

    def exact(self, batch) -> Targets:
        """Return the targets of a batch, not rounded."""
        return self._of([batch.images, *batch.further], batch.positions)

    def fixed(self, images, device: torch.device) -> "FixedView":
        """Return the targets of the training images, uint8 (n, C, H, W), without augmentation; computed once."""
        size = inference.batch_size_of(images, *self._models)
        parts = []
        for start in range(0, len(images), size):
            pixels = inference.as_pixels(images[start : start + size], device)
            exact = self._of([pixels], torch.arange(start, start + len(pixels)))
            parts.append(compress(exact, self.top_k))
        return FixedView({name: torch.cat([part[name] for part in parts]) for name in parts[0]}, exact.logits.shape[1])

    def _of(self, views: list[torch.Tensor], positions: torch.Tensor) -> Targets:
        """Return the targets of images at `positions` (b,) of the training images, from each of their views."""
        if self._held_out is None:
            logits = torch.stack([self._logits(model, images) for model in self._models for images in views])
        else:
            logits = self._of_held_out(views, self._held_out[:, positions.cpu()].to(views[0].device))
        return Targets(logits[0]) if len(logits) == 1 else average(logits)

    def _of_held_out(self, views: list[torch.Tensor], held_out: torch.Tensor) -> torch.Tensor:
        """Return logits (members, b, K), members: the models and views of each image; a model sees its own images only.

        held_out: bool (models, b).
        """
        given, n_images = None, held_out.shape[1]
        for i, model in enumerate(self._models):
            rows = held_out[i].nonzero()[:, 0]
            for j, images in enumerate(views) if len(rows) else ():
                logits = self._logits(model, images[rows])
                if given is None:
                    given = logits.new_zeros(len(self._models), len(views), n_images, logits.shape[1])
                given[i, j, rows] = logits
        models = held_out.T.nonzero()[:, 1].view(n_images, -1).T  # (as many as each image has, b)
        members = given[models, :, torch.arange(n_images, device=given.device)]  # (…, b, views, K)
        return members.movedim(2, 1).flatten(0, 1)

    @torch.no_grad()
    def _logits(self, model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
        with devices.autocast(images.device, self._precision):
            return model(images)


class FixedView:
    """The targets of each image without augmentation, whatever view of it the student sees."""

    def __init__(self, kept: dict[str, torch.Tensor], n_classes: int):
        """kept: what `compress` returned for all images."""
        self._kept, self._n_classes = kept, n_classes

    def targets(self, batch) -> Targets:
        """Return the targets of a batch, rounded as if they had been stored."""
        return expand({name: tensor[batch.positions] for name, tensor in self._kept.items()}, self._n_classes)


def average(logits: torch.Tensor) -> Targets:
    """Return the logarithm of the mean of softmax(logits) over members, and their mutual information.

    logits: (members, n, K). H(mean p) - mean H(p) is computed in float64, as it is a small difference.
    """
    log_mean = log_mean_probability(logits)
    exact = logits.double().log_softmax(-1).exp()
    information = torch.special.entr(exact.mean(0)).sum(-1) - torch.special.entr(exact).sum(-1).mean(0)
    return Targets(log_mean, information.clamp_min(0).float())


def log_mean_probability(logits: torch.Tensor) -> torch.Tensor:
    """Return the logarithm of the mean of softmax(logits) over members, (n, K); logits: (members, n, K)."""
    return logits.log_softmax(-1).logsumexp(0) - np.log(len(logits))


def of_job(job, device: torch.device, precision: str) -> Teachers:
    """Return the teachers of a student, or of a file of soft labels.

    job: the paths `train` and `teacher` (of one checkpoint or more), the `replicate`, and `settings` with `top_k`,
    `targets` (where it is there) and what `own_images.read_train` needs. Raises UserError if targets are to be held out
    and a teacher has trained on all images.
    """
    models = [checkpoints.load_model(path, device) for path in job.teacher]
    held_out = None
    if getattr(job.settings, "targets", "all") == "held-out":
        folds = [_fold_of(path) for path in job.teacher]
        held_out = own_images.held_out(job.train, job.settings, job.replicate, folds)
    return Teachers(models, precision, job.settings.top_k, held_out)


def _fold_of(path) -> SimpleNamespace:
    settings = checkpoints.read(path)[1]["settings"]
    if "fold" not in settings:
        raise UserError(f"{path}: the model has trained on all images, so that no target is held out; give folds")
    return SimpleNamespace(**settings["fold"])

"""A segmenter for CutMix: a segmentation-models-pytorch network trained on pseudo-labels of pixels.

By default from scratch: an encoder's pretrained weights bring in labels of other data (`load_encoder`). The
pseudo-labels come from `pseudo_labels`. The network learns what they have in common over many images, so its masks
are better than the pseudo-labels.
"""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from selfdoubt.mixing import painting
from selfdoubt.models import checkpoints, inference
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation import colours, networks
from selfdoubt.training import augmentation, optimizers, schedules

_SHIFT_PX = 1
_ADAMW = {"method": "adamw", "betas": (0.9, 0.999), "weight_decay": 0.01}
_COSINE = SimpleNamespace(method="cosine", warmup_fraction=0.0)
_SEGMENTED_PIXELS = 200_000  # of a batch


# ---- the network ----


class Segmenter(nn.Module):
    """A network that normalises its images, and pads them to sides that it can process."""

    def __init__(self, network: nn.Module, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))
        self.network = network
        self.is_pretrained = False
        self.threshold = 0.0  # above which a pixel's logit is object
        self.colour_steps = 0  # of refinement of what is predicted

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logit of each pixel for being object, float32 (n, H, W), of images (n, C, H, W) in [0, 1]."""
        return networks.padded(self.network, (images - self.mean) / self.std)[:, 0].float()

    def fit_input(self, images: torch.Tensor) -> None:
        """Set mean and deviation by training images (n, C, H, W) in [0, 1], where the encoder's weights have none."""
        if self.is_pretrained:
            return
        self.mean.copy_(images.mean((0, 2, 3)).view(-1, 1, 1))
        self.std.copy_(images.std((0, 2, 3)).view(-1, 1, 1).clamp_min(1e-3))


def build_segmenter(settings, channels: int, seed: int = 0) -> Segmenter:
    """Build an untrained segmenter, as `networks.build` does; settings: one of config.yaml's `segmenters`."""
    return Segmenter(networks.build(settings, channels, 1, seed, "segmenters"), channels)


def load_encoder(model: Segmenter, encoder: str, channels: int, weights: str | Path | None) -> None:
    """Load weights of timm's classifier into the encoder, and the mean and deviation that they were trained with.

    encoder: `tu-NAME`. weights: a file; None: those that timm publishes. Raises UserError if they do not fit.
    """
    donor, (mean, std) = methods.load("models.families", "timm").with_weights(
        encoder.removeprefix("tu-"), channels, weights
    )
    # Wrappers that put out the maps of stages rename these: stages.0 becomes stages_0, or model.stages.0.
    theirs = {name.replace("_", "."): tensor for name, tensor in donor.state_dict().items()}
    ours = {name: name.removeprefix("model.").replace("_", ".") for name in model.network.encoder.model.state_dict()}
    if missing := [name for name, plain in ours.items() if plain not in theirs]:
        raise UserError(f"segmenters: the weights of {encoder} lack {missing[0]}; choose another encoder")
    model.network.encoder.model.load_state_dict({name: theirs[plain] for name, plain in ours.items()})
    model.mean.copy_(torch.tensor(mean).view(-1, 1, 1))
    model.std.copy_(torch.tensor(std).view(-1, 1, 1))
    model.is_pretrained = True


def load_segmenter(path: str | Path, device: torch.device) -> Segmenter:
    """Build the segmenter of a checkpoint whose metadata has `settings` and `channels`, and load its weights."""
    tensors, metadata = checkpoints.read(path)
    if "channels" not in metadata:
        raise UserError(
            f"{path}: not a segmenter's checkpoint: its metadata has no 'channels'; delete it and run again"
        )
    model = build_segmenter(SimpleNamespace(**metadata["settings"]), metadata["channels"])
    model.load_state_dict(tensors)
    model.threshold = metadata.get("threshold", 0.0)
    model.colour_steps = metadata["settings"].get("colour_steps") or 0
    return model.to(device, memory_format=torch.channels_last).eval()


# ---- training and prediction ----


def train_segmenter(
    model: Segmenter, images, pseudo, settings, seed: int, device, progress=None, n_before: int = 0
) -> list[dict]:
    """Train `model` in place on pseudo-labels and return a row per epoch of TRAINING.

    Binary cross-entropy, AdamW, the learning rate falling along a cosine. Images are flipped and shifted; pixels that
    are shifted in have no pseudo-label. A last batch of one image, which has no batch statistics, is left out. Equal
    arguments and threads give equal weights.

    images: uint8 (n, C, H, W). pseudo: int8 (n, H, W), 1 object, 0 background, -1 no pseudo-label.
    progress: a `Progress`, which records each epoch, or None. n_before: epochs of earlier rounds, which it counts too.
    Raises UserError if no pixel has a pseudo-label, if the network cannot take such images, or at the first step whose
    loss is not finite.
    """
    if not (pseudo >= 0).any():
        raise UserError("segmenters: no pixel has a pseudo-label; lower foreground_above")
    model.fit_input(inference.sample_pixels(images))
    networks.freeze_unused(model, inference.as_pixels(images[:1], torch.device("cpu")), "segmenters")
    model.to(device, memory_format=torch.channels_last).train()
    optimizer = optimizers.Optimizer(model, SimpleNamespace(learning_rate=settings.learning_rate, **_ADAMW))
    n_batches, left = divmod(len(images), settings.batch_size)
    n_batches += left > 1
    factors = [schedules.factor(i, settings.epochs * n_batches, _COSINE) for i in range(settings.epochs * n_batches)]
    labels = torch.tensor(pseudo + 1, dtype=torch.uint8)[:, None]  # 0 is no pseudo-label, as beyond the edge
    windows = augmentation.pad(torch.cat([torch.tensor(images), labels], 1).to(device), _SHIFT_PX)
    history = []
    for epoch in range(settings.epochs):
        own = factors[epoch * n_batches : (epoch + 1) * n_batches]
        views = augmentation.draw_views(seed, epoch, len(images), _SHIFT_PX, flip=True)
        order = augmentation.draw_order(seed, epoch, len(images))
        batches = _batches(windows, views, order.split(settings.batch_size)[:n_batches])
        torch.manual_seed(randomness.key(seed, "dropout", epoch) % 2**63)  # decoders may have such layers
        loss = _train_epoch(model, batches, optimizer, own, bool(getattr(settings, "balanced", None)))
        history.append({"epoch": epoch, "learning_rate": own[-1] * settings.learning_rate, "train_loss": loss})
        print(" ".join(f"{name}={value:.5g}" for name, value in history[-1].items()), flush=True)
        if progress is not None:
            progress.epoch(n_before + epoch, len(images), loss=loss)
    return history


def _batches(windows: torch.Tensor, views, indices: tuple[torch.Tensor, ...]):
    """Yield views of images, in [0, 1], and of their pseudo-labels: 0 none, 1 background, 2 object."""
    for moves in augmentation.moved([views.at(index) for index in indices], windows.device):
        both = augmentation.view(windows, moves)
        yield both[:, :-1].float() / 255, both[:, -1]


def _train_epoch(model, batches, optimizer, factors: list[float], balanced: bool) -> float:
    """Train on batches, each at its factor of the learning rate; return the mean loss of a pseudo-labelled pixel.

    balanced: whether the object's pixels of a batch count as much as those of the background. No step reads the value
    of a tensor, for which a GPU would be waited for: losses are read at the end, and raise UserError if not finite.
    """
    losses, numbers = [], []
    for (images, labels), factor in zip(batches, factors, strict=True):
        known = labels > 0
        weight = _balance(labels) if balanced else known
        loss = F.binary_cross_entropy_with_logits(model(images), (labels == 2).float(), weight=weight, reduction="sum")
        n = known.sum().clamp_min(1)
        (loss / n).backward()
        optimizer.step(factor)
        losses.append(loss.detach())
        numbers.append(n)
    found = torch.stack(losses).tolist()
    if unfit := [(step, loss) for step, loss in enumerate(found) if not math.isfinite(loss)]:
        step, loss = unfit[0]
        raise UserError(f"segmenters: loss is {loss} at step {step} of an epoch; lower learning_rate")
    return sum(found) / sum(torch.stack(numbers).tolist())


def _balance(labels: torch.Tensor) -> torch.Tensor:
    """Return weights of pixels by their pseudo-labels (1 background, 2 object) that add up alike for both of these.

    They add up to the number of pixels with a pseudo-label; where there is one kind alone, each weighs 1.
    """
    masks = torch.stack([labels == 1, labels == 2])
    counts = masks.flatten(1).sum(1).double()
    of_each = torch.where(counts.all(), counts.sum() / 2 / counts, 1.0).float()
    return (masks * of_each.view(-1, *[1] * labels.ndim)).sum(0)


def threshold_of_recall(model: Segmenter, images: np.ndarray, pseudo: np.ndarray, recall: float) -> float:
    """Return the highest logit at which masks cover a fraction `recall` of the pixels annotated as object.

    images, pseudo: as of `train_segmenter`; some pixels are annotated as object.
    """
    logits = np.sort(np.concatenate([part.numpy()[own == 1] for part, own in _logits(model, images, pseudo)]))
    n_missed = int((1 - recall) * len(logits) + 1e-9)
    return float(np.nextafter(logits[n_missed], np.float32(-np.inf)))


def segment(model: Segmenter, images: np.ndarray, dilate_px: int = 0) -> np.ndarray:
    """Return the object masks of uint8 images (n, C, H, W): bool (n, H, W), in float32 on the model's device.

    dilate_px: how many rows and columns away from an object's pixel others become object, too.
    """
    return segment_with_confidence(model, images, dilate_px)[0]


def segment_with_confidence(model: Segmenter, images: np.ndarray, dilate_px: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return what `segment` does, and the confidence of each mask before it is made wider, float32 (n,) in [0, 1].

    Soft Dice confidence (Borges, Pacheco & Silva 2024): 2 sum(p m) / sum(p + m), about the Dice coefficient to expect
    of the mask m where p is a pixel's probability of being object; 0 of an empty mask.
    """
    masks, confidence = [], []
    for logits, _ in _logits(model, images, images):
        masks.append(logits > model.threshold)
        confidence.append(_soft_dice(logits, masks[-1]))
    found = torch.cat(masks)
    if dilate_px:
        found = painting.dilate(found[:, None], dilate_px)[:, 0]
    return found.numpy(), torch.cat(confidence).numpy()


def _soft_dice(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    probability, inside = logits.double().sigmoid(), masks.double()
    both, either = (each.sum((1, 2)) for each in (probability * inside, probability + inside))
    return (2 * both / either.clamp_min(1e-12)).float()


def probabilities(model: Segmenter, images: np.ndarray) -> np.ndarray:
    """Return the probability of each pixel of being object, float32 (n, H, W), of uint8 images (n, C, H, W)."""
    return torch.cat([logits.sigmoid() for logits, _ in _logits(model, images, images)]).numpy()


@torch.no_grad()
def _logits(model: Segmenter, images: np.ndarray, others: np.ndarray):
    """Yield logits of pixels, float32 (b, H, W), of a batch after the other, with the same part of `others`."""
    model.eval()
    device = next(model.parameters()).device
    size = max(1, _SEGMENTED_PIXELS // (images.shape[2] * images.shape[3]))
    for i in range(0, len(images), size):
        part = images[i : i + size]
        logits = model(inference.as_pixels(part, device)).cpu()
        if model.colour_steps:
            probability = colours.refine(logits.sigmoid().numpy(), part, model.colour_steps, device)
            logits = torch.from_numpy(probability).logit()
        yield logits, others[i : i + size]

"""How fast a device is: the training loop, against a bare one and against airbench's network; attacks; all metrics."""

import io
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import gpu_paths
import numpy as np
import samples
import torch
from gpu_processes import Found
from measure import in_turn
from torch import nn
from torch.nn import functional as F

from selfdoubt.attacks import gradients
from selfdoubt.evaluation.metrics_table import evaluate
from selfdoubt.models import classifier, inference
from selfdoubt.runtime import devices
from selfdoubt.training import losses
from selfdoubt.training.batches import Stream
from selfdoubt.training.loop import Training

AIRBENCH = "airbench==0.1.8"  # Jordan 2024: 94 % on CIFAR-10
AIRBENCH_WIDTHS, AIRBENCH_BATCH, N_BATCHES = (64, 256, 256), 1024, 20
EPSILON, N_STEPS = 8 / 255, 10


class Missing(Exception):
    """What a check compares with is not installed."""


def loop(paths: gpu_paths.Paths, device: torch.device) -> Found:
    """Time an epoch of the training loop against one of a bare loop, images/s of ours over theirs."""
    ours, bare, n = paths.epochs_to_time(device)
    return _found(ours, bare, n, "a bare loop", paths.size.repeats)


def airbench(size: gpu_paths.Size, device: torch.device) -> Found:
    """Time an epoch of our loop against as many steps of airbench's own network and optimiser; images/s over theirs.

    Both on random images in memory, in half precision; ours shifts and flips them, and theirs has them as they are.
    Raises Missing if airbench is not installed.
    """
    try:
        from airbench import make_net94
    except ImportError:
        raise Missing(f"{AIRBENCH} is not installed") from None
    n = AIRBENCH_BATCH * N_BATCHES
    draws = np.random.default_rng(0)
    train = replace(gpu_paths.made_up(n, 32), images=draws.integers(0, 256, (n, 3, 32, 32), np.uint8))
    batches = torch.rand(2, AIRBENCH_BATCH, 3, 32, 32, device=device).half()
    batches = [images.contiguous(memory_format=torch.channels_last) for images in batches]
    labels = torch.from_numpy(train.labels[:AIRBENCH_BATCH]).to(device)

    def theirs() -> None:
        network, loss_of = make_net94().train(), nn.CrossEntropyLoss(label_smoothing=0.2, reduction="sum")
        learned = [weight for weight in network.parameters() if weight.requires_grad]
        optimizer = torch.optim.SGD(learned, lr=0.001, momentum=0.85, nesterov=True)
        for i in range(N_BATCHES):
            loss = loss_of(network(batches[i % 2]), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        gpu_paths.wait_for(device)

    ours = partial(_epoch, train, size, device, AIRBENCH_WIDTHS, AIRBENCH_BATCH)
    return _found(ours, theirs, n, "airbench's network in a bare loop", size.repeats)


def _epoch(train, size: gpu_paths.Size, device: torch.device, widths: tuple[int, ...], batch_size: int) -> None:
    """Train a new network for an epoch."""
    network = SimpleNamespace(family="convnet", widths=list(widths))
    channels, size_px = train.images.shape[1:3]
    model = classifier.build_model(network, gpu_paths.N_CLASSES, channels, size_px, seed=gpu_paths.SEED)
    model.fit_input(inference.as_pixels(train.images[:1000], gpu_paths.CPU))
    model = model.to(device, memory_format=torch.channels_last)
    recipe = gpu_paths.recipe_of(size, batch_size=batch_size, precision=devices.precision_on(device, "auto"))
    stream = Stream(train, recipe, gpu_paths.SEED, device)
    few = replace(train, images=train.images[:40], labels=train.labels[:40], image_ids=train.image_ids[:40], masks=None)
    with redirect_stdout(io.StringIO()):
        Training(model, stream, losses.from_labels(), few).run()
    gpu_paths.wait_for(device)


def attacks(paths: gpu_paths.Paths, device: torch.device) -> Found:
    """Time steps of gradient ascent in float32 and with gradients of bfloat16: image-steps/s over float32's."""
    model, images = paths.learned(device), inference.as_pixels(paths.train.images, device)
    labels = torch.from_numpy(paths.train.labels).to(device)
    against = partial(F.cross_entropy, target=labels, reduction="none")

    def ascend(precision: str) -> None:
        gradients.ascend(model, images, against, EPSILON, N_STEPS, EPSILON / 4, precision)
        gpu_paths.wait_for(device)

    n = len(images) * N_STEPS
    seconds, other = in_turn(partial(ascend, "bfloat16"), partial(ascend, "float32"), paths.size.repeats)
    detail = f"{n / other:,.0f} image-steps/s in float32, {n / seconds:,.0f} with gradients of bfloat16"
    return Found(detail, other / seconds)


def metrics(size: gpu_paths.Size) -> Found:
    """Time all metrics of predictions, which the host computes: of 50,000 x 1,000 logits, or of few."""
    predictions = samples.large() if size is gpu_paths.WHOLE else samples.awkward()
    seconds, _ = in_turn(lambda: evaluate(predictions, samples.SETTINGS, {}), lambda: None, size.repeats)
    n, n_classes = predictions["test"].logits.shape
    return Found(f"{seconds:.2f} s for all metrics of {n:,} x {n_classes:,} logits, on the host", seconds)


def _found(ours: Callable, theirs: Callable, n: int, name: str, repeats: int) -> Found:
    seconds, other = in_turn(ours, theirs, repeats)
    return Found(f"{n / seconds:,.0f} images/s, {name} {n / other:,.0f}", other / seconds)

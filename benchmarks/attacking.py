"""The row of attacks: projected gradient ascent of ours and of torchattacks, on the same network and images."""

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from measure import Row, in_turn
from torch.nn import functional as F

from selfdoubt.attacks import gradients
from selfdoubt.models import classifier, inference
from selfdoubt.runtime import devices
from selfdoubt.runtime.randomness import generator

NETWORK = SimpleNamespace(family="convnet", widths=[16, 32, 64])
N_IMAGES, N_STEPS, EPSILON = 500, 10, 8 / 255
SAME = "both sides wait for the same convolutions; the ratio scatters about 1 from run to run"


def rows() -> Iterator[Row]:
    """Yield image-steps a second, in float32 and, on hardware that is fast at it, with gradients of bfloat16."""
    try:
        from torchattacks import PGD
    except ImportError:
        print("skipped: torchattacks is not installed; make bench installs it")
        return
    device = devices.prepare("auto", threads=1)
    draws = generator(0, "benchmark")
    images = inference.as_pixels(draws.integers(0, 256, (N_IMAGES, 1, 28, 28), dtype=np.uint8), device)
    model = classifier.build_model(NETWORK, n_classes=10, channels=1, size_px=28, seed=1)
    model.fit_input(images.cpu())
    model = model.to(device, memory_format=torch.channels_last).eval()
    labels = torch.from_numpy(draws.integers(0, 10, N_IMAGES)).to(device)
    peer = PGD(model, eps=EPSILON, alpha=EPSILON / 4, steps=N_STEPS, random_start=False)
    against = partial(F.cross_entropy, target=labels, reduction="none")

    def ours(precision: str = "float32") -> torch.Tensor:
        return gradients.ascend(model, images, against, EPSILON, N_STEPS, EPSILON / 4, precision)

    def theirs() -> torch.Tensor:
        return peer(images, labels)

    targets, n = {"float32": 1.0, "bfloat16": 1.6}, N_IMAGES * N_STEPS
    if devices.precision_on(device, "auto") == "float32":
        print("skipped: attacks with gradients of bfloat16, which this machine has no instructions for")
        del targets["bfloat16"]
    for precision, target in targets.items():
        same = (ours(precision) - theirs()).abs().lt(1e-6).float().mean().item()
        seconds, other = in_turn(partial(ours, precision), theirs)
        what = f"attacks in {precision}, {N_STEPS} steps, {same:.1%} of pixels the same"
        yield Row(what, "torchattacks' PGD in float32", n / seconds, n / other, "image-steps/s", "≥", target, SAME)

"""The row of attacks: projected gradient ascent of ours and of torchattacks, on the same network and images."""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import numpy as np
import torch
from measure import Row, in_turn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile

from selfdoubt.attacks import gradients
from selfdoubt.models import classifier, inference
from selfdoubt.runtime import devices
from selfdoubt.runtime.randomness import generator

PRECISIONS = ("float32", "bfloat16")
NETWORK = SimpleNamespace(family="convnet", widths=[16, 32, 64])
N_IMAGES, N_STEPS, EPSILON = 500, 10, 8 / 255
SAME = "both sides wait for the same convolutions; the ratio scatters about 1 from run to run"
FEW = "convolutions of so few channels gain 1.8 by bfloat16, and all else little (the table of operations)"
KINDS = {"convolutions": "convolution", "GELU": "gelu", "max-pooling": "max_pool", "batch norm": "batch_norm"}


def rows() -> Iterator[Row]:
    """Yield image-steps a second, in float32 and, on hardware that is fast at it, with gradients of bfloat16."""
    try:
        from torchattacks import PGD
    except ImportError:
        print("skipped: torchattacks is not installed; make bench installs it")
        return
    model, images, labels, against = setting()
    device = images.device
    peer = PGD(model, eps=EPSILON, alpha=EPSILON / 4, steps=N_STEPS, random_start=False)

    def ours(precision: str = "float32") -> torch.Tensor:
        return attack(model, images, against, precision)

    def theirs() -> torch.Tensor:
        return peer(images, labels)

    targets, n = {"float32": (1.0, SAME), "bfloat16": (1.6, FEW)}, N_IMAGES * N_STEPS
    if devices.precision_on(device, "auto") == "float32":
        print("skipped: attacks with gradients of bfloat16, which this machine has no instructions for")
        del targets["bfloat16"]
    for precision, (target, reason) in targets.items():
        same = (ours(precision) - theirs()).abs().lt(1e-6).float().mean().item()
        seconds, other = in_turn(partial(ours, precision), theirs)
        what = f"attacks in {precision}, {N_STEPS} steps, {same:.1%} of pixels the same"
        yield Row(what, "torchattacks' PGD in float32", n / seconds, n / other, "image-steps/s", "≥", target, reason)


def setting() -> tuple:
    """Return a network, images (N_IMAGES, 1, 28, 28), their labels and the objective."""
    device = devices.prepare("auto", threads=1)
    draws = generator(0, "benchmark")
    images = inference.as_pixels(draws.integers(0, 256, (N_IMAGES, 1, 28, 28), dtype=np.uint8), device)
    model = classifier.build_model(NETWORK, n_classes=10, channels=1, size_px=28, seed=1)
    model.fit_input(images.cpu())
    model = model.to(device, memory_format=torch.channels_last).eval()
    labels = torch.from_numpy(draws.integers(0, 10, N_IMAGES)).to(device)
    return model, images, labels, partial(F.cross_entropy, target=labels, reduction="none")


def attack(model, images: torch.Tensor, against, precision: str) -> torch.Tensor:
    """Return the images after the steps."""
    return gradients.ascend(model, images, against, EPSILON, N_STEPS, EPSILON / 4, precision)


def notes() -> list[str]:
    """Return where the time of an attack goes, by operation and precision, as lines of the page."""
    model, images, _, against = setting()
    if devices.precision_on(images.device, "auto") == "float32":
        return []
    seconds = {precision: by_kind(partial(attack, model, images, against, precision)) for precision in PRECISIONS}
    lines = ["Where the time of such an attack goes, ms by torch's profiler (the least of five runs):", ""]
    lines += ["| operations | float32 | bfloat16 | ratio |", "|---|--:|--:|--:|"]
    for kind in seconds["float32"]:
        of = [1000 * seconds[precision][kind] for precision in PRECISIONS]
        lines.append(f"| {kind} | {of[0]:.0f} | {of[1]:.0f} | {of[0] / of[1]:.2f} |")
    return [*lines, ""]


def by_kind(function: Callable[[], object]) -> dict[str, float]:
    """Return the seconds within the operations of each kind, and of all: the least of five runs each."""
    runs = []
    for _ in range(5):
        with profile(activities=[ProfilerActivity.CPU]) as profiled:
            function()
        events = [(event.key, event.self_cpu_time_total / 1e6) for event in profiled.key_averages()]
        of = {
            kind: sum(s for key, s in events if word in key and "evaluate" not in key) for kind, word in KINDS.items()
        }
        total = sum(seconds for _, seconds in events)
        runs.append(of | {"all else": total - sum(of.values()), "all": total})
    return {kind: min(run[kind] for run in runs) for kind in runs[0]}

"""Enhancers change a model's input at test time, so that its confidence says more about its being right.

An enhancer keeps the label of the clean image, and then reports it beside its logits, or it answers anew.
Every setting that is a list is chosen on `val`; the placebo is chosen in the same way as what it stands against.

Left out: "no change" as a candidate. It would let a harmful method hide behind its own baseline.
"""

from functools import cached_property
from itertools import product
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt import attacks, inference, randomness, rankings, scores

_TUNABLE = ("epsilon_255", "n_steps", "temperature")  # of candidates, the last varies fastest
_FIXED = ("method", "precision")  # of all of them


class Enhanced(NamedTuple):
    """What a model says of the enhanced images of every split."""

    logits: dict[str, np.ndarray]  # float32 (n, K)
    predicted: dict[str, np.ndarray] | None  # the labels kept, int16 (n,); None where the method answers anew
    chosen: dict  # the method and the value of each of its settings, JSON-able
    costs: dict[str, int]  # forwards and backwards of one image, the clean answer included


class Examples(NamedTuple):
    """A few images before and after an enhancer."""

    clean: np.ndarray  # uint8 (n, C, H, W)
    enhanced: np.ndarray  # float32 (n, C, H, W) in [0, 1]
    clean_confidence: np.ndarray  # float32 (n,), the largest softmax probability
    enhanced_confidence: np.ndarray  # the same of the enhanced images, at the enhancer's temperature


class Answer(NamedTuple):
    """What a model says of one batch."""

    logits: Tensor  # (n, K), of the enhanced images
    images: Tensor  # the enhanced images, float32 (n, C, H, W) in [0, 1]
    predicted: Tensor | None  # (n,) the labels kept


class Batch:
    """Clean images (n, C, H, W) in [0, 1] and what is asked of them, once however many candidates ask it."""

    def __init__(self, model: nn.Module, images: Tensor):
        self.model, self.images = model, images
        self._ascents = {}

    @cached_property
    def predicted(self) -> Tensor:
        """The model's labels of the clean images (n,)."""
        return self.ask(self.images).argmax(1)

    def ascent(self, temperature: float, precision: str) -> tuple[Tensor, Tensor]:
        """The signs that raise log p of the prediction at a temperature, and the prediction.

        In float32 both are had by one forward; in bfloat16 classes that are nearly as likely may change places.
        """
        if temperature not in self._ascents:
            known = None if precision == "float32" else self.predicted
            top, towards = attacks.top_log_probability, attacks.log_probability
            objective = top(temperature) if known is None else towards(known, temperature)
            gradient, logits = attacks.input_gradient(self.model, self.images, objective, precision)
            self._ascents[temperature] = gradient.sign(), logits.argmax(1) if known is None else known
        return self._ascents[temperature]

    @torch.no_grad()
    def ask(self, images: Tensor) -> Tensor:
        """The model's logits (n, K)."""
        return self.model(images).float()


def enhance(model: nn.Module, splits: dict, settings, seed: int) -> Enhanced:
    """Choose the enhancer's settings on the split "val", then enhance every split.

    settings: of one of config.yaml's `enhancers`, with the precision that its gradients have on this device.
    """
    chosen = choose(model, splits["val"], settings, seed)
    answers = {name: _run(model, split.images, [chosen], seed, name)[0] for name, split in splits.items()}
    logits = {name: found for name, (found, _) in answers.items()}
    predicted = {name: kept for name, (_, kept) in answers.items() if kept is not None}
    return Enhanced(logits, predicted or None, vars(chosen), COSTS[chosen.method](chosen))


def choose(model: nn.Module, val, settings, seed: int) -> SimpleNamespace:
    """Return the candidate whose msp ranks the reported labels of `val` best by AURC; the first of equals."""
    found = candidates(settings)
    if len(found) == 1:
        return found[0]
    answers = _run(model, val.images, found, seed, "val")
    return found[int(np.argmin([_aurc(logits, kept, val.labels) for logits, kept in answers]))]


def candidates(settings) -> list[SimpleNamespace]:
    """Return every combination of the values listed in the settings; a value that is no list stands for itself."""
    listed = {name: getattr(settings, name, None) for name in _TUNABLE}
    listed = {name: values if isinstance(values, list | tuple) else [values] for name, values in listed.items()}
    listed = {name: values for name, values in listed.items() if values != [None]}
    fixed = {name: getattr(settings, name) for name in _FIXED if hasattr(settings, name)}
    combinations = product(*listed.values())
    return [SimpleNamespace(**fixed, **dict(zip(listed, c, strict=True))) for c in combinations]


def examples(model: nn.Module, split, n_images: int, chosen: dict, seed: int, name: str = "test") -> Examples:
    """Return the first images of a split before and after an enhancer.

    chosen: as in Enhanced. name: of the split, so that random signs are those of its predictions.
    """
    clean = split.images[:n_images]
    batch = Batch(model, inference.as_pixels(clean, next(model.parameters()).device))
    with attacks.frozen(model):
        answer = ENHANCERS[chosen["method"]](batch, SimpleNamespace(**chosen), _generator(seed, name))
        before, after = _likeliest(batch.ask(batch.images)), _likeliest(answer.logits)
    return Examples(clean, answer.images.contiguous().cpu().numpy(), before, after)


def _likeliest(logits: Tensor) -> np.ndarray:
    return logits.softmax(-1).amax(-1).cpu().numpy()


def _run(model, images, found, seed, name) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Return logits and kept labels of uint8 images under each candidate."""
    device = next(model.parameters()).device
    generators = [_generator(seed, name) for _ in found]  # one name, so that candidates share their random signs
    answers, size = [[] for _ in found], inference.batch_size_of(images, model)
    with attacks.frozen(model):
        for start in range(0, len(images), size):
            batch = Batch(model, inference.as_pixels(images[start : start + size], device))
            for i, candidate in enumerate(found):
                answer = ENHANCERS[candidate.method](batch, candidate, generators[i])
                answers[i].append(answer._replace(images=None))  # too large to keep
    return [_joined(parts) for parts in answers]


def _joined(parts: list[Answer]) -> tuple[np.ndarray, np.ndarray | None]:
    logits = torch.cat([part.logits for part in parts]).cpu().numpy()
    if parts[0].predicted is None:
        return logits, None
    return logits, torch.cat([part.predicted for part in parts]).cpu().numpy().astype(np.int16)


def _aurc(logits: np.ndarray, kept: np.ndarray | None, labels: np.ndarray) -> float:
    reported = logits.argmax(1) if kept is None else kept
    return rankings.aurc(scores.msp(logits), reported == labels)


def _generator(seed: int, name: str) -> np.random.Generator:
    return randomness.generator(seed, f"random-sign/{name}")


# ---- methods: (batch, one value of each setting, generator) -> Answer ----


def odin(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """One step towards the prediction, whose gradient and confidence are taken at a temperature; label kept.

    Liang, Li & Srikant (2018). The logits come divided by the temperature, so that their softmax is ODIN's.
    """
    signs, predicted = batch.ascent(settings.temperature, settings.precision)
    images = (batch.images + settings.epsilon_255 / 255 * signs).clamp_(0, 1)
    return Answer(batch.ask(images) / settings.temperature, images, predicted)


def anti_adversary(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """Steps towards the prediction, each an equal part of epsilon; the label is the enhanced image's own.

    Alfarra et al. (2022).
    """
    epsilon, towards = settings.epsilon_255 / 255, attacks.log_probability(batch.predicted)
    n_steps, step = settings.n_steps, epsilon / settings.n_steps
    images = attacks.ascend(batch.model, batch.images, towards, epsilon, n_steps, step, settings.precision)
    return Answer(batch.ask(images), images, None)


def random_sign(batch: Batch, settings, generator: np.random.Generator) -> Answer:
    """The placebo: a step of equal size whose direction knows nothing; label kept."""
    images = attacks.random_signs(batch.images, settings.epsilon_255 / 255, generator)
    return Answer(batch.ask(images), images, batch.predicted)


ENHANCERS = {"odin": odin, "anti-adversary": anti_adversary, "random-sign": random_sign}

COSTS = {  # of one image
    "odin": lambda chosen: {"forwards": 2 + (chosen.precision != "float32"), "backwards": 1},
    "anti-adversary": lambda chosen: {"forwards": chosen.n_steps + 2, "backwards": chosen.n_steps},
    "random-sign": lambda chosen: {"forwards": 2, "backwards": 0},
}

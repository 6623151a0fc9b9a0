"""Choosing a method's settings on `val`, and asking it about every split."""

from collections.abc import Callable
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import asymmetry, crossfit, deep, labelled, steps, views
from selfdoubt.enhancers.batches import Answer, Batch, batches_of, counted
from selfdoubt.evaluation import rankings
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.runtime import randomness

Apply = Callable[[Batch, np.random.Generator], Answer]

# (batch, one value of each setting, generator) -> Answer
STEPS = steps.STEPS | {"tta": views.tta} | labelled.LABELLED
# (model, val, candidates, row numbers of val, seed) -> for each candidate, what it does once fitted on each of the rows
FITTED = {"deep": deep.fit, "asymmetry": asymmetry.fit, "clean-logistic": asymmetry.fit_clean}


class Answers(NamedTuple):
    """What a model says of the enhanced images of one split."""

    logits: np.ndarray  # float32 (n, K)
    predicted: np.ndarray | None  # the labels kept, int16 (n,); None where the method answers anew
    signals: dict[str, np.ndarray]  # further columns, (n,)


class Choice(NamedTuple):
    """The candidate that is best on `val`, and what it says of it."""

    settings: SimpleNamespace
    val: Answers


class Enhanced(NamedTuple):
    """What a model says of the enhanced images of every split."""

    logits: dict[str, np.ndarray]  # float32 (n, K)
    signals: dict[str, dict[str, np.ndarray]]  # column -> split -> (n,); `predicted`, int16, where labels are kept
    chosen: dict  # the method and the value of each of its settings, JSON-able
    costs: dict[str, float]  # forwards and backwards of one image of "test", the clean answer included
    apply: Apply  # what was chosen and fitted


class Examples(NamedTuple):
    """A few images before and after an enhancer."""

    clean: np.ndarray  # uint8 (n, C, H, W)
    enhanced: np.ndarray  # float32 (n, C, H, W) in [0, 1]
    clean_confidence: np.ndarray  # float32 (n,), the largest softmax probability
    enhanced_confidence: np.ndarray  # the same of the enhanced images, at the enhancer's temperature


def enhance(model: nn.Module, splits: dict, settings, seed: int) -> Enhanced:
    """Choose the enhancer's settings on the split "val", then enhance every split.

    settings: of one of config.yaml's `enhancers`, with the precision that its gradients have on this device. splits:
    with "val" and "test". Where something is fitted, "val" is answered fold by fold, as `crossfit` says.
    """
    val, answers, costs = splits["val"], {}, {}
    chosen, answers["val"] = choose(model, val, settings, seed)
    [[apply]] = _fit(model, val, [chosen], [np.arange(len(val.labels))], seed)
    for name in [name for name in splits if name != "val"]:
        with counted(model) as passes:
            [answers[name]] = _ask(model, splits[name], [apply], chosen.method, seed, name)
        costs[name] = {kind: n / max(1, len(splits[name].labels)) for kind, n in passes.items()}
    logits = {name: answers[name].logits for name in splits}
    return Enhanced(logits, _columns(answers), vars(chosen), costs["test"], apply)


def choose(model: nn.Module, val, settings, seed: int) -> Choice:
    """Return the candidate whose msp ranks the reported labels of `val` best by AURC; the first of equals."""
    found, n = candidates(settings), len(val.labels)
    folds = crossfit.folds(n, settings.n_folds, seed) if settings.method in FITTED else [np.arange(n)]
    parts = [crossfit.others(n, rows) for rows in folds]
    methods = _fit(model, val, found, parts, seed)
    answers = []
    for k, rows in enumerate(folds):
        part = val if len(folds) == 1 else crossfit.subset(val, rows)
        answers.append(_ask(model, part, [fitted[k] for fitted in methods], settings.method, seed, "val"))
    whole = [_in_order(parts, folds) for parts in zip(*answers, strict=True)]
    best = int(np.argmin([_aurc(found, val.labels) for found in whole])) if len(found) > 1 else 0
    return Choice(found[best], whole[best])


def candidates(settings) -> list[SimpleNamespace]:
    """Return every combination of the values listed in the settings, the last key varying fastest.

    A value that is no list stands for itself.
    """
    values = {name: value for name, value in sorted(vars(settings).items()) if name != "models"}
    listed = [value if isinstance(value, list | tuple) else [value] for value in values.values()]
    return [SimpleNamespace(**dict(zip(values, combination, strict=True))) for combination in product(*listed)]


def examples(model: nn.Module, split, n_images: int, done: Enhanced, seed: int, name: str = "test") -> Examples:
    """Return the first images of a split before and after what `enhance` returned.

    name: of the split, so that random signs and views are those of its predictions.
    """
    clean, few = split.images[:n_images], split.labels[:n_images]
    with gradients.frozen(model):
        generator, parts = _generator(seed, done.chosen["method"], name), []
        for batch in batches_of(model, clean, few):  # large images come few at a time
            answer = done.apply(batch, generator)
            images = answer.images.contiguous().cpu().numpy()
            parts.append((images, _likeliest(batch.ask(batch.images)), _likeliest(answer.logits)))
    return Examples(clean, *map(np.concatenate, zip(*parts, strict=True)))


def _likeliest(logits: Tensor) -> np.ndarray:
    return logits.softmax(-1).amax(-1).cpu().numpy()


def _fit(model: nn.Module, val, found: list[SimpleNamespace], parts: list[np.ndarray], seed: int) -> list[list[Apply]]:
    """Return, for each candidate, the method as it is once fitted on each of the parts of `val`."""
    method = found[0].method
    if method in STEPS:
        return [[partial(_step, STEPS[method], candidate)] * len(parts) for candidate in found]
    with gradients.frozen(model):
        return FITTED[method](model, val, found, parts, seed)


def _step(step: Callable, settings: SimpleNamespace, batch: Batch, generator: np.random.Generator) -> Answer:
    return step(batch, settings, generator)


def _ask(model: nn.Module, split, methods: list[Apply], method: str, seed: int, name: str) -> list[Answers]:
    """Return what each of the methods, which are candidates of one, says of a split."""
    generators = [_generator(seed, method, name) for _ in methods]  # one name, so that candidates share their draws
    answers = [[] for _ in methods]
    with gradients.frozen(model):
        for batch in batches_of(model, split.images, split.labels):
            for apply, generator, parts in zip(methods, generators, answers, strict=True):
                parts.append(apply(batch, generator)._replace(images=None))  # too large to keep
    return [_joined(parts) for parts in answers]


def _joined(parts: list[Answer]) -> Answers:
    def whole(tensors: list[Tensor]) -> np.ndarray:
        return torch.cat(tensors).cpu().numpy()

    kept = None if parts[0].predicted is None else whole([part.predicted for part in parts]).astype(np.int16)
    signals = {name: whole([part.signals[name] for part in parts]) for name in parts[0].signals or {}}
    return Answers(whole([part.logits for part in parts]), kept, signals)


def _in_order(parts: list[Answers], folds: list[np.ndarray]) -> Answers:
    """Return the folds' answers in the order of the rows; more than one fold has a column that tells them."""
    if len(folds) == 1:
        return parts[0]
    order, numbers = np.argsort(np.concatenate(folds)), [np.full(len(rows), k) for k, rows in enumerate(folds)]

    def whole(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)[order]

    kept = None if parts[0].predicted is None else whole([part.predicted for part in parts])
    signals = {name: whole([part.signals[name] for part in parts]) for name in parts[0].signals or {}}
    return Answers(whole([part.logits for part in parts]), kept, {**signals, "fold": whole(numbers).astype(np.int16)})


def _columns(answers: dict[str, Answers]) -> dict[str, dict[str, np.ndarray]]:
    """Return every column by split; the fold of a row that was in none is -1."""
    found = {}
    for name, each in answers.items():
        kept = {} if each.predicted is None else {"predicted": each.predicted}
        fold = {"fold": np.full(len(each.logits), -1, np.int16)} if "fold" in answers["val"].signals else {}
        for column, values in {**kept, **fold, **each.signals}.items():
            found.setdefault(column, {})[name] = values
    return found


def _aurc(answers: Answers, labels: np.ndarray) -> float:
    reported = answers.logits.argmax(1) if answers.predicted is None else answers.predicted
    return rankings.aurc(log_odds(answers.logits), reported == labels)


def _generator(seed: int, method: str, name: str) -> np.random.Generator:
    return randomness.generator(seed, f"{method}/{name}")

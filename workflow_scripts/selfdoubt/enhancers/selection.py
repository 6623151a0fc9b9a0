"""Enhance every split by a method, whose settings are chosen on `val`, or against an OOD set that is not tested.

A method is a module of `enhancers.methods`:

    enhance(batch, settings, generator) -> EnhancedBatch               settings: one value of each key
    fit(model, val, candidates, parts, seed) -> list[list]      of one that is fitted: for each candidate, what was
                                                                fitted on each of the parts (row numbers) of val;
                                                                with a last argument `others` where it learns by more
                                                                models than the one that it enhances (`lots`)
    enhance(batch, settings, generator, fitted) -> EnhancedBatch       and then with what was fitted
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import crossfit, lots
from selfdoubt.enhancers.batches import Batch, EnhancedBatch, attacked, batches_of, counted
from selfdoubt.evaluation import rankings
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.runtime import methods, randomness

_OF_NO_CANDIDATE = (
    "models",
    "attacked_by",
    "shifted",
    "siblings",
    "own_images",
)  # settings of what is enhanced, not of how
Apply = Callable[[Batch], EnhancedBatch]  # takes `generator` too: a method with its settings and what was fitted


class Predictions(NamedTuple):
    """The predictions of the enhanced images of one split."""

    logits: np.ndarray  # float32 (n, K)
    predicted: np.ndarray | None  # the clean predicted classes where they are kept, int16 (n,); None: argmax of logits
    signals: dict[str, np.ndarray]  # further columns, (n,)


class Choice(NamedTuple):
    """The candidate that is best on `val`, and its predictions there."""

    settings: SimpleNamespace
    val: Predictions
    tried: list[dict]  # of each candidate its settings that were lists, and the "aurc" on val or the "fpr95" it had


class Enhanced(NamedTuple):
    """The predictions of the enhanced images of every split."""

    logits: dict[str, np.ndarray]  # float32 (n, K)
    signals: dict[str, dict[str, np.ndarray]]  # column -> split -> (n,); `predicted`, int16, where classes are kept
    chosen: dict  # the method and the value of each of its settings, JSON-able
    tried: list[dict]  # as of a Choice
    costs: dict[str, float]  # forwards and backwards of one image of "test", the clean prediction included
    apply: Apply  # the method as it was chosen and fitted
    attack: SimpleNamespace | None  # of the images of every split but val


class Examples(NamedTuple):
    """A few images before and after an enhancer."""

    clean: np.ndarray  # uint8 (n, C, H, W)
    enhanced: np.ndarray  # float32 (n, C, H, W) in [0, 1]
    clean_confidence: np.ndarray  # float32 (n,), the largest softmax probability
    enhanced_confidence: np.ndarray  # of the reported classes on the enhanced images, at the enhancer's temperature


def load(method: str) -> ModuleType:
    """Return the module of an enhancer's method."""
    return methods.load("enhancers.methods", method)


def enhance(model: nn.Module, splits: dict, settings, seed: int, others: lots.Others = lots.NONE) -> Enhanced:
    """Choose the enhancer's settings on the split "val", then enhance every split.

    settings: of one of config.yaml's `enhancers`, with the precision that its gradients have on this device. splits:
    with "val" and "test". The predictions of "val" by a method that is fitted are out-of-fold (`crossfit`). The OOD
    set that `settings.tune_on` names, if they have it, is among the splits, and is not among those that come back.
    The images of every split but "val" are attacked first where the settings have `attacked_by`, those of an attack;
    its passes are not among the costs. others: further models (`lots`), for methods that learn by more than one.
    """
    tune_on = getattr(settings, "tune_on", None)
    val, held_out, found, costs = splits["val"], splits.get(tune_on), {}, {}
    splits = {name: split for name, split in splits.items() if name != tune_on}
    chosen, found["val"], tried = choose(model, val, settings, seed, held_out, others)
    [[apply]] = _prepare(model, val, [chosen], [np.arange(len(val.labels))], seed, others)
    attack = getattr(settings, "attacked_by", None)
    for name in [name for name in splits if name != "val"]:
        with counted(model) as passes:
            clean = _batches(model, splits[name])
            given = clean if attack is None else _attacked(clean, attack, passes)
            [found[name]] = _predict(model, given, [apply], _generator(seed, chosen.method, name))
        costs[name] = {kind: n / max(1, len(splits[name].labels)) for kind, n in passes.items()}
    logits = {name: found[name].logits for name in splits}
    known = vars(chosen) if attack is None else {**vars(chosen), "attacked_by": attack}
    return Enhanced(logits, _columns(found), _plain(known), tried, costs["test"], apply, attack)


def choose(model: nn.Module, val, settings, seed: int, held_out=None, others: lots.Others = lots.NONE) -> Choice:
    """Return the candidate of lowest AURC on `val`, by msp of the reported classes; the first of equals.

    held_out: the images of an OOD set, against which the candidate of lowest FPR at 95 % TPR of `val` is taken instead.
    """
    listed, n = candidates(settings), len(val.labels)
    is_fitted = hasattr(load(settings.method), "fit")
    folds = crossfit.random_folds(n, settings.n_folds, seed) if is_fitted else [np.arange(n)]
    prepared = _prepare(model, val, listed, [crossfit.others(n, rows) for rows in folds], seed, others)
    found = []
    for k, rows in enumerate(folds):
        part = val if len(folds) == 1 else crossfit.subset(val, rows)
        ready = [applies[k] for applies in prepared]
        found.append(_predict(model, _batches(model, part), ready, _generator(seed, settings.method, "val")))
    whole = [_in_order(parts, folds) for parts in zip(*found, strict=True)]
    if len(listed) == 1:
        return Choice(listed[0], whole[0], [])
    if held_out is None:
        by, losses = "aurc", [_aurc(predictions, val.labels) for predictions in whole]
    else:
        ready, generator = [applies[0] for applies in prepared], _generator(seed, settings.method, settings.tune_on)
        by, losses = "fpr95", [*map(_fpr95, whole, _predict(model, _batches(model, held_out), ready, generator))]
    keys = [name for name, value in vars(settings).items() if name in vars(listed[0]) and isinstance(value, list)]
    tried = [{key: vars(each)[key] for key in keys} | {by: loss} for each, loss in zip(listed, losses, strict=True)]
    best = int(np.argmin(losses))
    return Choice(listed[best], whole[best], tried)


def candidates(settings) -> list[SimpleNamespace]:
    """Return every combination of the values listed in the settings, the last key varying fastest.

    A value that is no list stands for itself.
    """
    values = {name: value for name, value in sorted(vars(settings).items()) if name not in _OF_NO_CANDIDATE}
    listed = [value if isinstance(value, list | tuple) else [value] for value in values.values()]
    return [SimpleNamespace(**dict(zip(values, combination, strict=True))) for combination in product(*listed)]


def examples(model: nn.Module, split, n_images: int, done: Enhanced, seed: int, name: str = "test") -> Examples:
    """Return the first images of a split before and after the enhancement that `enhance` returned.

    name: of the split, so that random signs and views are those of its predictions.
    """
    clean, few = split.images[:n_images], split.labels[:n_images]
    with gradients.frozen(model):
        generator, parts = _generator(seed, done.chosen["method"], name)(), []
        for batch in batches_of(model, clean, few):  # large images come few at a time
            given = attacked(batch, done.attack) if done.attack else batch
            enhanced = done.apply(given, generator=generator)
            images = enhanced.images.contiguous().cpu().numpy()
            before, after = batch.logits(batch.images), enhanced.logits
            parts.append((images, _confidence(before, None), _confidence(after, enhanced.predicted)))
    return Examples(clean, *map(np.concatenate, zip(*parts, strict=True)))


def _confidence(logits: Tensor, reported: Tensor | None) -> np.ndarray:
    p = logits.softmax(-1)
    return (p.amax(-1) if reported is None else p.gather(1, reported[:, None])[:, 0]).cpu().numpy()


def _prepare(model: nn.Module, val, listed: list[SimpleNamespace], parts: list[np.ndarray], seed: int, others):
    """Return, for each candidate, the method fitted on each of the parts of `val`, ready to be applied."""
    method = load(listed[0].method)
    if not hasattr(method, "fit"):
        return [[partial(method.enhance, settings=candidate)] * len(parts) for candidate in listed]
    further = {} if others == lots.NONE else {"others": others}
    with gradients.frozen(model, *others.models()):
        fitted = method.fit(model, val, listed, parts, seed, **further)
    return [
        [partial(method.enhance, settings=candidate, fitted=on_part) for on_part in of_candidate]
        for candidate, of_candidate in zip(listed, fitted, strict=True)
    ]


def _plain(known: dict) -> dict:
    """Return settings of a method with those of attacks among them as dicts."""
    return {key: vars(value) if isinstance(value, SimpleNamespace) else value for key, value in known.items()}


def _batches(model: nn.Module, split) -> Iterator[Batch]:
    return batches_of(model, split.images, split.labels)


def _attacked(found: Iterator[Batch], attack, passes: dict[str, int]) -> Iterator[Batch]:
    """Yield the batches attacked, and leave the passes that this takes out of those that are counted."""
    for batch in found:
        before = dict(passes)
        moved = attacked(batch, attack)
        passes.update(before)
        yield moved


def _predict(model: nn.Module, batches: Iterator[Batch], applies: list, new_generator: Callable) -> list[Predictions]:
    """Return the predictions of the batches of a split by each of the candidates of one method."""
    generators = [new_generator() for _ in applies]  # equal ones, so that candidates share their draws
    found = [[] for _ in applies]
    with gradients.frozen(model):
        for batch in batches:
            for apply, generator, parts in zip(applies, generators, found, strict=True):
                parts.append(apply(batch, generator=generator)._replace(images=None))  # too large to keep
    return [_joined(parts) for parts in found]


def _joined(parts: list[EnhancedBatch]) -> Predictions:
    def whole(tensors: list[Tensor]) -> np.ndarray:
        return torch.cat(tensors).cpu().numpy()

    kept = None if parts[0].predicted is None else whole([part.predicted for part in parts]).astype(np.int16)
    signals = {name: whole([part.signals[name] for part in parts]) for name in parts[0].signals or {}}
    return Predictions(whole([part.logits for part in parts]), kept, signals)


def _in_order(parts: list[Predictions], folds: list[np.ndarray]) -> Predictions:
    """Return the predictions of all folds in the order of the rows, with a column `fold` if there are several."""
    if len(folds) == 1:
        return parts[0]
    order, numbers = np.argsort(np.concatenate(folds)), [np.full(len(rows), k) for k, rows in enumerate(folds)]

    def whole(arrays: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(arrays)[order]

    kept = None if parts[0].predicted is None else whole([part.predicted for part in parts])
    signals = {name: whole([part.signals[name] for part in parts]) for name in parts[0].signals or {}}
    fold = whole(numbers).astype(np.int16)
    return Predictions(whole([part.logits for part in parts]), kept, {**signals, "fold": fold})


def _columns(found: dict[str, Predictions]) -> dict[str, dict[str, np.ndarray]]:
    """Return every column by split; the fold of a row that was in none is -1."""
    columns = {}
    for name, each in found.items():
        kept = {} if each.predicted is None else {"predicted": each.predicted}
        fold = {"fold": np.full(len(each.logits), -1, np.int16)} if "fold" in found["val"].signals else {}
        for column, values in {**kept, **fold, **each.signals}.items():
            columns.setdefault(column, {})[name] = values
    return columns


def _aurc(predictions: Predictions, labels: np.ndarray) -> float:
    kept = predictions.predicted
    reported = predictions.logits.argmax(1) if kept is None else kept
    return rankings.aurc(_msp(predictions), reported == labels)


def _fpr95(inside: Predictions, outside: Predictions) -> float:
    return rankings.fpr95(rankings.rank_ood(_msp(inside), _msp(outside)))


def _msp(predictions: Predictions) -> np.ndarray:
    return log_odds(Softmax(predictions.logits, reported=predictions.predicted))


def _generator(seed: int, method: str, name: str) -> Callable[[], np.random.Generator]:
    """Return what makes the generator of a method's draws for a split, a new one at each call."""
    return partial(randomness.generator, seed, f"{method}/{name}")

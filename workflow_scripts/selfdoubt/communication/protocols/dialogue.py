"""Dialogue: models that disagree about an image perturb it in turn, until they agree or the rounds are over.

In a round each model takes one step toward its own predicted class, from the image as the model before left it; the
budget is common, since no pixel may leave epsilon of the clean image. After a round all predict. The model that begins
changes from round to round, so that no model is always the last. Images on which models agree at first are not touched.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.communication import decisions, kept_gains
from selfdoubt.communication.decisions import Decision
from selfdoubt.communication.kept_gains import KeptGains
from selfdoubt.models import inference
from selfdoubt.runtime import randomness

_LEAST_LOG_P = np.log(np.finfo(np.float64).tiny)


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the mean probability of all predictions that members make before and during the dialogue."""
    found = {
        name: converse(models, split, decisions.predict_clean(models, split), settings, (seed, name))
        for name, split in splits.items()
    }
    logits = {name: dialogue.log_mean.astype(np.float32) for name, dialogue in found.items()}
    costs, rounds = found["test"].costs, found["test"].n_rounds
    mean_rounds = float(rounds[rounds > 0].mean()) if rounds.any() else None
    costs = {**costs, "forwards": costs["forwards"] + len(models)}
    return Decision(logits, None, [], costs, mean_rounds, kept={name: _kept(found[name]) for name in ("val", "test")})


class Dialogue(NamedTuple):
    """The outcome of a dialogue about a split."""

    log_mean: np.ndarray  # float64 (n, K): log of the mean probability of all predictions, the clean ones included
    n_rounds: np.ndarray  # int (n,) rounds of each image
    costs: dict[str, float]  # forwards and backwards of one image, clean predictions not included
    contested: np.ndarray  # int (m,) rows of the images on which models disagreed
    first_and_last: np.ndarray  # float64 (2, L, m, K): what models predicted of these, before and at the end


def _kept(dialogue: Dialogue) -> KeptGains:
    """Return what each member's log p of the two classes of largest mean probability gained by the dialogue."""
    with np.errstate(divide="ignore"):  # of a probability that rounds to 0
        log_p = np.maximum(np.log(dialogue.first_and_last), _LEAST_LOG_P)  # (2, L, m, K)
    return kept_gains.of_members(dialogue.contested, dialogue.first_and_last[0].mean(0), *log_p)


def converse(
    models: dict[str, nn.Module], split, clean_logits: dict[str, np.ndarray], settings, draws: tuple[int, str]
) -> Dialogue:
    """Let models take turns in perturbing the images of a split on which they disagree.

    clean_logits: of each model (n, K). draws: the seed and the name of the split, of which the generators of random
    steps are made.
    """
    found = [softmax(logits.astype(np.float64), axis=1) for logits in clean_logits.values()]  # L x (n, K)
    total, n_rounds = sum(found), np.zeros(len(found[0]), np.int64)
    contested = np.flatnonzero(_disagree(found))
    last = np.stack(found)
    first = last[:, contested]
    device = next(next(iter(models.values())).parameters()).device
    size = inference.batch_size_of(split.images, *models.values())
    generators, message = _Generators(*draws), decisions.load_message(settings)
    with gradients.frozen(*models.values()), torch.no_grad():
        for start in range(0, len(contested), size):
            rows = contested[start : start + size]
            clean = inference.as_pixels(split.images[rows], device)
            moved = clean
            for turn in range(settings.n_rounds):
                moved = _one_round([*models.values()], moved, clean, settings, turn, generators, message.step)
                found = [model(moved).double().softmax(-1).cpu().numpy() for model in models.values()]
                total[rows] += sum(found)
                n_rounds[rows] += 1
                last[:, rows] = found
                apart = _disagree(found)
                if not apart.any():
                    break
                kept = torch.from_numpy(np.flatnonzero(apart)).to(device)
                rows, moved, clean = rows[apart], moved[kept], clean[kept]
    log_mean = np.log(total) - np.log(len(models) * (1 + n_rounds))[:, None]
    passes = n_rounds.sum() * len(models) / max(len(n_rounds), 1)  # an image: as many steps as predictions
    n_gradients = message.GRADIENTS_OF_A_STEP
    costs = {"forwards": passes * (1 + n_gradients), "backwards": passes * n_gradients}
    return Dialogue(log_mean, n_rounds, costs, contested, np.stack([first, last[:, contested]]))


def _disagree(probabilities: list[np.ndarray]) -> np.ndarray:
    """Return (n,) bool: whether the models, of each (n, K), do not all predict the same class."""
    predicted = np.array([of_model.argmax(1) for of_model in probabilities])
    return (predicted != predicted[0]).any(0)


class _Generators(dict):
    """A generator for each (round, sender), which continues from batch to batch, so that their size changes nothing."""

    def __init__(self, seed: int, split: str):
        self._name = seed, f"dialogue/{split}"

    def __missing__(self, counters: tuple[int, int]) -> np.random.Generator:
        self[counters] = randomness.generator(*self._name, *counters)
        return self[counters]


def _one_round(models: list[nn.Module], moved: Tensor, clean: Tensor, settings, turn: int, generators, step) -> Tensor:
    """Return the images after one step of epsilon / n_rounds by each model; the model number `turn` begins."""
    epsilon = settings.epsilon_255 / 255
    for i in range(len(models)):
        sender = (turn + i) % len(models)
        stepped = step(models[sender], moved, epsilon / settings.n_rounds, settings, generators[turn, sender])
        moved = gradients.project(stepped, clean, epsilon)
    return moved

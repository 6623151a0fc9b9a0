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
from selfdoubt.communication import decisions
from selfdoubt.communication.decisions import Decision
from selfdoubt.models import inference
from selfdoubt.runtime import randomness


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the mean probability of all predictions that members make before and during the dialogue."""
    found = {
        name: converse(models, split, decisions.predict_clean(models, split), settings, (seed, name))
        for name, split in splits.items()
    }
    logits = {name: dialogue.log_mean.astype(np.float32) for name, dialogue in found.items()}
    costs, rounds = found["test"].costs, found["test"].n_rounds
    mean_rounds = float(rounds[rounds > 0].mean()) if rounds.any() else None
    return Decision(logits, None, [], {**costs, "forwards": costs["forwards"] + len(models)}, mean_rounds)


class Dialogue(NamedTuple):
    """The outcome of a dialogue about a split."""

    log_mean: np.ndarray  # float64 (n, K): log of the mean probability of all predictions, the clean ones included
    n_rounds: np.ndarray  # int (n,) rounds of each image
    costs: dict[str, float]  # forwards and backwards of one image, clean predictions not included


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
                apart = _disagree(found)
                if not apart.any():
                    break
                kept = torch.from_numpy(np.flatnonzero(apart)).to(device)
                rows, moved, clean = rows[apart], moved[kept], clean[kept]
    log_mean = np.log(total) - np.log(len(models) * (1 + n_rounds))[:, None]
    passes = n_rounds.sum() * len(models) / max(len(n_rounds), 1)  # an image: as many steps as predictions
    n_gradients = message.GRADIENTS_OF_A_STEP
    return Dialogue(log_mean, n_rounds, {"forwards": passes * (1 + n_gradients), "backwards": passes * n_gradients})


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

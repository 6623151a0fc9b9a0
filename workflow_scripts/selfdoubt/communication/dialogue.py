"""Models that disagree about an image talk, by changing it in turn, until they agree or their rounds are over.

In a round each model speaks once: it moves the image as it is by then one step towards what it takes it for, within a
budget that all share, since no pixel may leave epsilon of the clean one. After a round all answer. Who begins goes
round, so that nobody has the last word in all rounds. Images on which models agree from the start are left alone.
"""

from typing import NamedTuple

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor, nn

from selfdoubt.attacks import gradients
from selfdoubt.models import inference
from selfdoubt.runtime import randomness


class Dialogue(NamedTuple):
    """What came of talking about a split."""

    log_mean: np.ndarray  # float64 (n, K): log of the mean of all answers' probabilities, the clean ones included
    n_rounds: np.ndarray  # int (n,) rounds that were talked about each image
    costs: dict[str, float]  # forwards and backwards of one image, the clean answers not included


def converse(
    models: dict[str, nn.Module], split, clean_logits: dict[str, np.ndarray], settings, draws: tuple[int, str]
) -> Dialogue:
    """Let models talk about the images of a split on which they disagree.

    clean_logits: of each model (n, K). settings: of a `dialogue`. draws: the seed, and the name of the split; they name
    the draws of random steps.
    """
    answers = [softmax(logits.astype(np.float64), axis=1) for logits in clean_logits.values()]  # L x (n, K)
    total, n_rounds = sum(answers), np.zeros(len(answers[0]), np.int64)
    talked = np.flatnonzero(_disagree(answers))
    device = next(next(iter(models.values())).parameters()).device
    size = inference.batch_size_of(split.images, *models.values())
    generators = _Generators(*draws)
    with gradients.frozen(*models.values()), torch.no_grad():
        for start in range(0, len(talked), size):
            rows = talked[start : start + size]
            clean = inference.as_pixels(split.images[rows], device)
            moved = clean
            for turn in range(settings.n_rounds):
                moved = _one_round([*models.values()], moved, clean, settings, turn, generators)
                answers = [model(moved).double().softmax(-1).cpu().numpy() for model in models.values()]
                total[rows] += sum(answers)
                n_rounds[rows] += 1
                apart = _disagree(answers)
                if not apart.any():
                    break
                kept = torch.from_numpy(np.flatnonzero(apart)).to(device)
                rows, moved, clean = rows[apart], moved[kept], clean[kept]
    log_mean = np.log(total) - np.log(len(models) * (1 + n_rounds))[:, None]
    passes = n_rounds.sum() * len(models) / max(len(n_rounds), 1)  # an image: as many steps as answers
    by_gradient = settings.message == "gradient"
    return Dialogue(log_mean, n_rounds, {"forwards": passes * (1 + by_gradient), "backwards": passes * by_gradient})


def _disagree(answers: list[np.ndarray]) -> np.ndarray:
    """Return (n,) bool: whether not all of the answers (n, K) name one class."""
    labels = np.array([answer.argmax(1) for answer in answers])
    return (labels != labels[0]).any(0)


class _Generators(dict):
    """A generator for each round and speaker, which goes on where the batch before has ended."""

    def __init__(self, seed: int, split: str):
        self._name = seed, f"dialogue/{split}"

    def __missing__(self, counters: tuple[int, int]) -> np.random.Generator:
        self[counters] = randomness.generator(*self._name, *counters)
        return self[counters]


def _one_round(models: list[nn.Module], moved: Tensor, clean: Tensor, settings, turn: int, generators) -> Tensor:
    """Return the images after each model has moved them by epsilon / n_rounds, who begins goes round."""
    epsilon = settings.epsilon_255 / 255
    step = epsilon / settings.n_rounds
    for i in range(len(models)):
        speaker = (turn + i) % len(models)
        if settings.message == "gradient":
            towards = gradients.top_log_odds()
            gradient, _ = gradients.input_gradient(models[speaker], moved, towards, settings.precision)
            stepped = moved + step * gradient.sign()
        else:
            stepped = gradients.random_signs(moved, step, generators[turn, speaker])
        moved = gradients.project(stepped, clean, epsilon)
    return moved

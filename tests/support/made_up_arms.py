"""Predictions of made-up arms, whose order by accuracy and by ranking is known."""

import numpy as np

N = 120
LABELS = np.arange(N) % 3


def logits_of(predicted: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """The logit of the predicted class is the evidence for it, the others are 0."""
    return (np.eye(3)[predicted] * evidence[:, None]).astype(np.float32)


def sharp(replicate: int) -> np.ndarray:
    """A quarter is incorrect, and has the least confidence."""
    incorrect = np.arange(N) % 4 == 0
    evidence = np.random.default_rng(replicate).uniform(0, 1, N) + np.where(incorrect, 1, 3)
    return logits_of((LABELS + incorrect) % 3, evidence)


def dull(replicate: int) -> np.ndarray:
    """The predictions of `sharp` with random confidence."""
    return logits_of(sharp(replicate).argmax(1), np.random.default_rng(replicate + 10).uniform(1, 4, N))


def dim(replicate: int) -> np.ndarray:
    """As dull, with another random confidence."""
    return logits_of(sharp(replicate).argmax(1), np.random.default_rng(replicate + 20).uniform(1, 4, N))


def poor(replicate: int) -> np.ndarray:
    """Half is incorrect."""
    incorrect = np.random.default_rng(replicate).permutation(N) < N // 2
    return logits_of((LABELS + incorrect) % 3, np.random.default_rng(replicate).uniform(1, 4, N))


def perfect(replicate: int) -> np.ndarray:
    return logits_of(LABELS, np.full(N, 2.0))


def flawless(replicate: int) -> np.ndarray:
    """As correct as perfect, with other confidence."""
    return logits_of(LABELS, np.random.default_rng(replicate).uniform(1, 4, N))


def shifted(replicate: int) -> np.ndarray:
    """The same images as of sharp are incorrect and in the same order, at other classes and numbers."""
    incorrect = np.arange(N) % 4 == 0
    return logits_of((LABELS + 2 * incorrect) % 3, sharp(replicate).max(1) * 1.5)


ARMS = {"sharp": sharp, "dull": dull, "poor": poor, "perfect": perfect, "dim": dim}
ARMS |= {"flawless": flawless, "shifted": shifted}

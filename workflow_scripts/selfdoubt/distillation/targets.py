"""What a student is told in the place of its teacher's answers: controls that take one thing away from them.

Each takes a teacher's logits (b, K), the batch that they answer and the study's seed, and returns other logits.
What is stored of a teacher is not touched, so that all its students share it.
"""

import math

import numpy as np
import torch

from selfdoubt.distillation.losses import other_classes
from selfdoubt.runtime import randomness
from selfdoubt.training import losses

_LARGEST_FACTOR = 1e3  # of logits, and one over it the smallest, between which an entropy is looked for
_HALVINGS = 40  # of that range, on a logarithmic scale: down to a relative 1e-11


def permuted(logits, batch, seed: int, permutation: str) -> torch.Tensor:
    """Permute the probabilities of all classes but the likeliest (DKPP: Furlanello et al. 2018).

    permutation: "per-sample", drawn anew for each view, or "fixed", one for each likeliest class, drawn once. Either
    way the largest probability, the entropy and so the sureness of the image stay as they were.
    """
    n_others = logits.shape[1] - 1
    top = logits.argmax(1)
    if permutation == "fixed":
        drawn = randomness.generator(seed, "permuted-classes").random((n_others + 1, n_others))
        moved = _orders(drawn, logits.device)[top]
    else:
        drawn = randomness.uniform_rows(seed, "permuted-answers", batch.epoch, batch.rows, n_others)
        moved = _orders(drawn, logits.device)
    rest = other_classes(top, n_others + 1)
    return logits.scatter(1, rest, logits.gather(1, rest.gather(1, moved)))


def corrected(logits, batch, seed: int) -> torch.Tensor:
    """Swap the probabilities of the label and of the likeliest class, where these are two."""
    label, top = batch.labels[:, None], logits.argmax(1, keepdim=True)
    return logits.scatter(1, label, logits.gather(1, top)).scatter(1, top, logits.gather(1, label))


def scaled(logits, batch, seed: int, factor: float) -> torch.Tensor:
    """Multiply the logits: more than 1 makes the teacher surer of the same class, less than 1 less sure."""
    return factor * logits


def entropy_shuffled(logits, batch, seed: int, temperature: float) -> torch.Tensor:
    """Give each answer the entropy of another one of the same label in the batch, and keep the order of its classes.

    temperature: at which these entropies are, and at which the student should be told the answers: at another one
    they are not exchanged but changed, and an easy class may become a hard one.

    The partners are a permutation of each label's images in the batch, so that the label keeps its entropies, and an
    image may be its own. An answer is brought to its partner's entropy by a factor of its logits, the one that does it:
    what is lost is which images are hard, and what is kept is what the teacher confuses them with.
    """
    drawn = randomness.uniform_rows(seed, "entropy-partners", batch.epoch, batch.rows, 1)[:, 0]
    shuffled = _orders(drawn, logits.device)
    source = shuffled[batch.labels[shuffled].argsort(stable=True)]  # by label, and at random within it
    target = batch.labels.argsort(stable=True)
    partner = torch.empty_like(source).scatter_(0, target, source)
    softened = logits.double() / temperature
    return (temperature * _at_entropy(softened, losses.entropies(softened)[partner])).float()


def _at_entropy(logits, wanted) -> torch.Tensor:
    """Return logits (b, K), float64, each row times the factor at which its entropy is the wanted one (b,), in nats.

    Entropy falls as the factor rises. Where no factor reaches it, such as less than log 2 of two equal largest
    logits, the nearest end of the range is taken.
    """
    low = torch.full_like(wanted, -math.log(_LARGEST_FACTOR))
    high = -low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        flat = losses.entropies(logits * middle.exp()[:, None]) > wanted
        low, high = torch.where(flat, middle, low), torch.where(flat, high, middle)
    return logits * ((low + high) / 2).exp()[:, None]


def _orders(drawn: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return the permutations that put random numbers in order, along the last axis."""
    return torch.from_numpy(drawn.argsort(-1)).to(device)


ANSWERS = {
    "permuted": permuted,
    "corrected": corrected,
    "scaled": scaled,
    "entropy-shuffled": entropy_shuffled,
}

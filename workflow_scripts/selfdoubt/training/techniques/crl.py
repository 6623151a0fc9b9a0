"""Correctness ranking loss (Moon et al., ICML 2020): what was classified correctly more often is more confident."""

import torch

from selfdoubt.training.technique import Base


class Technique(Base):
    """Adds `weight` times `ranking_loss` to the loss, of each image of a batch and the next, the last and the first.

    An image's past is the fraction of the earlier epochs in which its view was classified correctly; in the first epoch
    there is none. The paper's weight is 1, its confidence the probability of the predicted class. The authors' code
    subtracts the least of all counts besides, which is 0 where an image was never classified correctly.
    """

    def __init__(self, settings, model, stream):
        super().__init__(settings, model, stream)
        counts = torch.zeros((2, stream.n_images), dtype=torch.int64, device=next(model.parameters()).device)
        self._n_correct, self._n_seen = counts

    def objective(self, inner):
        def ranked(logits, batch):
            confidence = logits[: len(batch.labels)].softmax(-1).amax(-1)
            return inner(logits, batch) + self._settings.weight * ranking_loss(confidence, self._past(batch.positions))

        return ranked

    def learned(self, logits, batch):
        correct = logits[: len(batch.labels)].argmax(-1) == batch.labels
        self._n_correct[batch.positions] += correct
        self._n_seen[batch.positions] += 1

    def tensors(self):
        return {"n_correct": self._n_correct, "n_seen": self._n_seen}

    def _past(self, positions: torch.Tensor) -> torch.Tensor:
        return self._n_correct[positions] / self._n_seen[positions].clamp_min(1)


def ranking_loss(confidence: torch.Tensor, past: torch.Tensor) -> torch.Tensor:
    """Mean of max(0, |c_i - c_j| - sign(c_i - c_j) (k_i - k_j)) over i and the next j; 0 where c_i = c_j.

    confidence: (b,) k, that is trained. past: (b,) c in [0, 1], how often the image was classified correctly.
    """
    difference = past - past.roll(-1)
    gained = difference.sign() * (confidence - confidence.roll(-1))
    return (difference.abs() - gained).relu().mean()

"""The negative distance to the k-th nearest training image, between features scaled to length 1 (Sun et al. 2022).

k is 50, as the paper has it for CIFAR-10.
"""

import numpy as np

COLUMN = "knn"
WITHOUT_COLUMN = "it is made of clean images, for models that keep features"
NEIGHBOURS = 50
_BLOCK = 2**22  # distances held at a time


def fit_features(train) -> dict:
    """Return the training features, float32 (n, d), each of length 1."""
    return {"known": _unit(train.features)}


def from_features(sample, known: np.ndarray) -> np.ndarray:
    """Return the negative distance to the 50th nearest of `known`, or to the farthest where there are fewer, (n,)."""
    features, k = _unit(sample.features), min(NEIGHBOURS, len(known)) - 1
    rows = max(1, _BLOCK // len(known))
    blocks = [features[i : i + rows] @ known.T for i in range(0, len(features), rows)]
    cosines = [-np.partition(-block, k, axis=1)[:, k] for block in blocks]
    return -np.sqrt(np.maximum(2 - 2 * np.concatenate(cosines).astype(np.float64), 0))


def _unit(features: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(features, axis=1, keepdims=True)
    return (features / np.where(length == 0, 1, length)).astype(np.float32)

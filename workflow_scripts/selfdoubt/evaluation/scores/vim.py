"""Energy minus a virtual logit: how far features lie outside of the subspace of training features (Wang et al. 2022).

The subspace has 1,000 dimensions of 2,048 features or more and 512 of fewer, as in the authors' code, but half of
the features where there are no more than 1,024, of which the authors have none.
"""

import numpy as np

from selfdoubt.evaluation.softmax import Softmax

COLUMN = "vim"
WITHOUT_COLUMN = "it is made of clean images, for models that keep features"


def fit_features(train) -> dict:
    """Return the origin (d,), the directions outside of the subspace (d, m), and the scale of the virtual logit."""
    head = train.head
    origin = -np.linalg.pinv(head.weight) @ head.bias
    centred = train.features - origin
    _, directions = np.linalg.eigh(centred.T @ centred / len(centred))  # by ascending variance
    outside = directions[:, : centred.shape[1] - n_principal(centred.shape[1])]
    length = np.linalg.norm(centred @ outside, axis=1).mean()
    scale = train.logits.max(1).mean() / length if length else 0.0
    return {"origin": origin, "outside": outside, "scale": scale}


def from_features(sample, origin: np.ndarray, outside: np.ndarray, scale: float) -> np.ndarray:
    """Return logsumexp of the logits minus the virtual logit, (n,)."""
    virtual = scale * np.linalg.norm((sample.features - origin) @ outside, axis=1)
    softmax = Softmax(sample.logits)
    return softmax.top + np.log1p(softmax.rest) - virtual


def n_principal(n_features: int) -> int:
    """Return the dimensions of the subspace."""
    if n_features <= 1024:
        return n_features // 2
    return 1000 if n_features >= 2048 else 512

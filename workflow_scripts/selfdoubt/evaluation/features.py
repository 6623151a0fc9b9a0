"""Penultimate features of a model: the file that keeps them, and the confidences that are computed from them.

A score from features is a module of `evaluation.scores` with its `COLUMN` of the predictions, `WITHOUT_COLUMN`, and

    fit_features(train: Sample) -> fitted                what it needs of the training images, once a model
    from_features(sample: Sample, **fitted) -> (n,) float64
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from selfdoubt.evaluation import scoring
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.threads import cached_property


@dataclass(frozen=True, eq=False)
class Head:
    """The last layer, from features to logits."""

    weight: np.ndarray  # float64 (K, d)
    bias: np.ndarray  # float64 (K,)


@dataclass(frozen=True, eq=False)
class Sample:
    """The features of the images of a split, and what the head makes of them."""

    features: np.ndarray  # float64 (n, d)
    head: Head

    @cached_property
    def logits(self) -> np.ndarray:
        """(n, K)."""
        return self.features @ self.head.weight.T + self.head.bias


def write(path: str | Path, features: dict[str, np.ndarray], weight: np.ndarray, bias: np.ndarray, metadata) -> None:
    """Write the features of each split, float16 (n, d), `train` among them, and the head."""
    arrays = {f"split.{name}": values for name, values in features.items()}
    tensor_files.write(path, {**arrays, "head.weight": weight, "head.bias": bias}, metadata)


def read(path: str | Path) -> dict[str, Sample]:
    """Return the samples of what `write` wrote, by split."""
    arrays, _ = tensor_files.read(path, "features")
    head = Head(arrays.pop("head.weight").astype(np.float64), arrays.pop("head.bias").astype(np.float64))
    return {name.removeprefix("split."): Sample(values.astype(np.float64), head) for name, values in arrays.items()}


def confidences(scores: list[str], samples: dict[str, Sample], counts: dict[str, int]) -> dict[str, np.ndarray]:
    """Return the confidences, float64 (n,), of the images of a table by column.

    counts: the table's splits in their order, and their numbers of rows. Raises UserError if the features are of other
    images.
    """
    for split, n in counts.items():
        if split not in samples or len(samples[split].features) != n:
            raise UserError(f"features: not those of the {n} images of {split}; delete them and run again")
    found = {}
    for name in scores:
        module = scoring.load(name)
        fitted = module.fit_features(samples["train"])
        found[module.COLUMN] = np.concatenate([module.from_features(samples[split], **fitted) for split in counts])
    return found

"""What every source gives, before it is split and decoded: labelled images of one or more official splits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Encoded:
    """Images as their files hold them, by position."""

    content: Callable[[int], bytes]
    names: Sequence[str]  # what to call each in an error
    root: Path | None = None  # of files that may stay where they are; names are then below it

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, rows: np.ndarray) -> "Encoded":
        """Return some of the images."""
        return Encoded(lambda i: self.content(int(rows[i])), [self.names[row] for row in rows], self.root)


@dataclass(frozen=True)
class Pool:
    """The images of one official split, or of a whole source that has no splits."""

    images: np.ndarray | Encoded  # uint8 (n, C, H, W), or still encoded
    labels: np.ndarray  # (n,) int64, rows of `Raw.class_names`
    image_ids: np.ndarray | None = None  # (n,) int32; None: positions
    masks: np.ndarray | Encoded | None = None  # bool (n, H, W), or still encoded
    label_probabilities: np.ndarray | None = None  # float32 (n, K), of labels that several people gave


@dataclass(frozen=True)
class Raw:
    """A source as it was found."""

    pools: dict[str, Pool]  # "train", and perhaps "val" and "test"
    class_names: list[str]
    ignored: dict[str, str] = field(default_factory=dict)  # why each file that was not used was not, by name
    pooled: list[str] = field(default_factory=list)  # folders of tables that were taken for one data set, if several


def rows_of(images: np.ndarray | Encoded, rows: np.ndarray) -> np.ndarray | Encoded:
    """Return some of the images, or of the masks, of a pool."""
    return images.rows(rows) if isinstance(images, Encoded) else images[rows]

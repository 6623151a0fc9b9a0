"""The names of splits, as people write them: in capitals or not, and of files in any part of their path."""

import re
from pathlib import Path

from selfdoubt.settings.listing import composed

SPLITS = {  # by the words that mean it
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "eval"),
    "test": ("test", "testing"),
}
CHOICES = "; ".join(f"{split}: {', '.join(words)}" for split, words in SPLITS.items())


def split_named(name: str) -> str | None:
    """Return the split that a name means: "Validation" -> val; None: another name."""
    return next((split for split, words in SPLITS.items() if name.lower() in words), None)


def split_in(name: str) -> str | None:
    """Return the one split that a word of a name means: "train-00000-of-00002" -> train, "training_set" -> train.

    None: no split, or several.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", composed(name))
    found = {split_named(word) for word in re.split(r"[\W\d_]+", spaced)} - {None}
    return found.pop() if len(found) == 1 else None


def split_of_path(path: Path) -> str | None:
    """Return the split that a path's last part means that means one: data/train/0000.parquet -> train."""
    return next((split for part in reversed(path.parts) if (split := split_in(part))), None)


def set_of_path(path: Path) -> tuple[str, ...]:
    """Return the words that name a set in the part of a path that names its split: val_b/0.parquet -> ("val", "b").

    Numbers, hashes and endings are none: test-00000-of-00002-3fa1.parquet -> ("test",).
    """
    part = next(part for part in reversed(path.parts) if split_in(part)).removesuffix(path.suffix)
    words = re.split(r"[\W_]+", re.sub(r"\d+[\W_]*of[\W_]*\d+.*", "", part.lower()))
    words = [word.rstrip("0123456789") for word in words]
    return tuple(word for word in words if word and not re.search(r"\d", word))

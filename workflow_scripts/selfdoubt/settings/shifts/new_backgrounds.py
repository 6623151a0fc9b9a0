"""The test scenes before backgrounds of families that no training scene has: made from the test split and its masks."""

from pathlib import Path

FORM = "new-backgrounds"
CORRUPTED = False
OF_TEST = True  # its images are those of the test split, changed


def files_of(place: str, name: str) -> list[Path]:
    """Return no files: it is made of the test split alone."""
    return []

"""Re-collected test sets as arrays: X_data.npy with X_labels.npy beside it, or X.npz of images and labels."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import path_of
from selfdoubt.settings.source_files import existing

FORM = "numpy:PATH"
CORRUPTED = False


def files_of(place: str, name: str) -> list[Path]:
    """Return the files of images and of labels, which may be one; a re-collected set has no further name."""
    if not place.endswith((".npy", ".npz")):
        raise UserError(f"{place}: not the name of an array; name the .npy of the images, or an .npz")
    return existing(sorted(set(images_and_labels(place))), "put the published file there")


def n_images(place: str, name: str) -> int | None:
    """Return how many images there are at most: a label takes a byte or more; None of an .npz, which is packed."""
    labels = images_and_labels(place)[1]
    return None if labels.suffix == ".npz" else labels.stat().st_size


def images_and_labels(place: str) -> tuple[Path, Path]:
    """Return the file of images and that of labels; a single .npz is both."""
    path = path_of(place)
    return (path, path) if path.suffix == ".npz" else (path, path.with_name(path.name.replace("data", "labels")))

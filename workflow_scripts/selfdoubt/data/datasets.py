"""Images as uint8, and the one file format that keeps them.

A split's images stay uint8 in memory and on disk; pixels become floats in [0, 1] at the model's door. Where a data set
is too large for memory, a split keeps the names of its files instead (`ImageFiles`), below a link beside it, so that no
file of results holds a path outside the project.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selfdoubt.data import masks as mask_files
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError

LINK = "images"  # beside a split whose images stay in files: a link to their folder


@dataclass(frozen=True)
class Split:
    """Images with their labels; row i of each array is one image."""

    images: np.ndarray | ImageFiles  # (n, C, H, W) uint8
    labels: np.ndarray  # (n,) int64; -1 where the image is of no class (out of distribution)
    image_ids: np.ndarray  # (n,) int32; unique in the split, the image's row in its original source
    masks: np.ndarray | None = None  # (n, H, W) bool, True on the object, where the truth came with the images
    ood_classes: np.ndarray | None = None  # (n,) int64; of OOD images, the class in their own data set


_DTYPES = {"images": np.uint8, "labels": np.int64, "image_ids": np.int32}
_OPTIONAL = {"masks": np.bool_, "ood_classes": np.int64}


def n_classes(split: Split) -> int:
    """Return the number of classes of a split that has an image of the last class, such as "train"."""
    return int(split.labels.max()) + 1


def shape_of(train: Split) -> dict[str, int]:
    """Return what a classifier of a training split is built for: `channels`, `size_px` and `n_classes`."""
    _, channels, size_px, _ = train.images.shape
    return {"channels": channels, "size_px": size_px, "n_classes": n_classes(train)}


# ---- files ----


def write_splits(path: str | Path, splits: dict[str, Split], metadata: dict) -> None:
    """Write named splits into one .safetensors file, atomically; equal input gives equal bytes.

    Of images that stay in files the names are written, and a link to their folder is made beside `path`.
    metadata: JSON-able.
    Raises ValueError if a split breaks the types of `Split`: that is a programming error.
    """
    arrays = {}
    for name, split in splits.items():
        fault = _fault(split)
        if fault:
            raise ValueError(f"split '{name}': {fault}")
        arrays |= {f"{name}.{field}": array for field, array in _arrays_of(split).items()}
        if isinstance(split.images, ImageFiles):
            _link(Path(path).parent / LINK, split.images.root)
    tensor_files.write(path, arrays, metadata)


def read_splits(path: str | Path) -> dict[str, Split]:
    """Read what `write_splits` wrote; names in alphabetical order.

    Raises UserError if the file is missing, truncated or holds something else.
    """
    arrays, _ = tensor_files.read(path, "images")
    try:
        names = sorted({key.rpartition(".")[0] for key in arrays})
        splits = {name: _split_of(arrays, name, Path(path).parent / LINK) for name in names}
    except KeyError as error:
        raise UserError(f"{path}: holds no splits of images: no {error}; delete it and run again") from None
    faults = [f"split '{name}': {fault}" for name, split in splits.items() if (fault := _fault(split))]
    if arrays or faults or not splits:
        found = [*faults, *arrays, "no split"][0]
        raise UserError(f"{path}: holds no splits of images ({found}); delete it and run again")
    return splits


def read_split(path: str | Path, name: str) -> Split:
    """Return one split of a file; raises UserError if it is not there."""
    splits = read_splits(path)
    if name not in splits:
        raise UserError(f"{path}: has no split '{name}'; splits: {', '.join(splits)}")
    return splits[name]


def read_all(paths: Iterable[str | Path]) -> dict[str, Split]:
    """Return the splits of several files together, in the files' order."""
    return {name: split for path in paths for name, split in read_splits(path).items()}


def _arrays_of(split: Split) -> dict[str, np.ndarray]:
    """Return a split as arrays: masks as bits, and file names as one text."""
    arrays = {"labels": split.labels, "image_ids": split.image_ids}
    if isinstance(split.images, ImageFiles):
        text = "\0".join(split.images.names).encode()
        arrays |= {"names": np.frombuffer(text, np.uint8), "shape": np.array(split.images.shape[1:])}
    else:
        arrays["images"] = split.images
    if split.masks is not None:
        arrays["masks"] = mask_files.pack(split.masks)
    if split.ood_classes is not None:
        arrays["ood_classes"] = split.ood_classes
    return arrays


def _split_of(arrays: dict[str, np.ndarray], name: str, link: Path) -> Split:
    """Take one split's arrays out of a file's; raises KeyError if one is missing."""
    own = {field: arrays.pop(f"{name}.{field}") for field in ("labels", "image_ids")}
    if f"{name}.names" in arrays:
        files = arrays.pop(f"{name}.names").tobytes().decode().split("\0")
        own["images"] = ImageFiles(link, files, *(int(length) for length in arrays.pop(f"{name}.shape")[:2]))
    else:
        own["images"] = arrays.pop(f"{name}.images")
    if f"{name}.masks" in arrays:
        own["masks"] = mask_files.unpack(arrays.pop(f"{name}.masks"), own["images"].shape[3])
    if f"{name}.ood_classes" in arrays:
        own["ood_classes"] = arrays.pop(f"{name}.ood_classes")
    return Split(**own)


def _link(link: Path, root: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(root.resolve(), target_is_directory=True)


def _fault(split: Split) -> str | None:
    """Return what breaks the types of `Split`, if anything does."""
    given = {field: dtype for field, dtype in _OPTIONAL.items() if getattr(split, field) is not None}
    for field, dtype in (_DTYPES | given).items():
        if getattr(split, field).dtype != dtype:
            return f"{field} are {getattr(split, field).dtype}, expected {np.dtype(dtype)}"
    shapes = [getattr(split, field).shape for field in _DTYPES]
    if len(shapes[0]) != 4 or shapes[1:] != [shapes[0][:1]] * 2:
        return f"images, labels and image_ids are of shapes {shapes}, expected (n, C, H, W), (n,) and (n,)"
    for field, expected in {"masks": (shapes[0][0], *shapes[0][2:]), "ood_classes": shapes[0][:1]}.items():
        if field in given and getattr(split, field).shape != expected:
            return f"{field} are of shape {getattr(split, field).shape}, expected {expected}"
    return None


def take(split: Split, positions: np.ndarray) -> Split:
    """Return some of a split's rows; images that stay in files stay there."""
    files = isinstance(split.images, ImageFiles)
    images = split.images.subset(positions) if files else split.images[positions]
    rows = {field: getattr(split, field) for field in ("labels", "image_ids", *_OPTIONAL)}
    return replace(split, images=images, **{f: None if a is None else a[positions] for f, a in rows.items()})


# ---- where the object is known to be ----


def foreground(split: Split, rule: str) -> np.ndarray:
    """Return bool (n, H, W), True on the object: the truth that masks are compared with, or replaced by.

    rule: a key of MASK_TRUTHS. Raises UserError if it is not known, or needs what the split lacks.
    """
    if rule not in MASK_TRUTHS:
        raise UserError(f"mask_truth: '{rule}' is not known; choose from {', '.join(MASK_TRUTHS)}")
    return MASK_TRUTHS[rule](split)


def _nonzero_pixels(split: Split) -> np.ndarray:
    return (split.images[:] > 0).any(1)


def _given(split: Split) -> np.ndarray:
    if split.masks is None:
        remedy = "mask_truth can be 'none' or 'nonzero-pixels', and augmented models can name a segmenter"
        raise UserError(f"masks are 'given', but the data set came without any; {remedy}")
    return split.masks


MASK_TRUTHS = {"nonzero-pixels": _nonzero_pixels, "given": _given}  # rule: f(split) -> bool (n, H, W)

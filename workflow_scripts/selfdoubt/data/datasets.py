"""Splits of labelled images as uint8, and the file format that they are stored in.

Images stay uint8 in memory and on disk; the model turns pixels into floats in [0, 1]. Of a data set too large for
memory, a split holds the names of the image files instead (`ImageFiles`), below a link to their folder, so that no file
of results holds a path outside the project. Of a split that is itself a link, that folder lies beside its target.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from selfdoubt.data import masks as mask_files
from selfdoubt.data.image_files import ImageFiles
from selfdoubt.runtime import tensor_files
from selfdoubt.runtime.errors import UserError

LINK = "images"  # to the folder of images that stay in files; beside the split


@dataclass(frozen=True)
class Split:
    """Images with their labels; row i of each array is one image."""

    images: np.ndarray | ImageFiles  # (n, C, H, W) uint8
    labels: np.ndarray  # (n,) int64; -1 where the image is of no class (out of distribution)
    image_ids: np.ndarray  # (n,) int32; unique in the split, the image's row in its original source
    masks: np.ndarray | None = None  # (n, H, W) bool, True on the object, if the images came with masks
    ood_classes: np.ndarray | None = None  # (n,) int64; of OOD images, the class in their own data set
    label_probabilities: np.ndarray | None = None  # (n, K) float32, of several people; rows of sum 1


_DTYPES = {"images": np.uint8, "labels": np.int64, "image_ids": np.int32}
_OPTIONAL = {"masks": np.bool_, "ood_classes": np.int64, "label_probabilities": np.float32}
_AS_THEY_ARE = ("ood_classes", "label_probabilities")  # of these, those that are stored without packing


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

    Of images that stay in files, the names are written, and a link to their folder is made beside `path`.
    metadata: JSON-able. Raises ValueError, at a programming error, if a split breaks the types of `Split`.
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
        splits = {name: _split_of(arrays, name, Path(path).resolve().parent / LINK) for name in names}
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


def each(path: str | Path) -> Iterator[tuple[str, Split]]:
    """Yield the splits of a file, none of which is held here once the next is asked for."""
    splits = read_splits(path)
    for name in list(splits):
        yield name, splits.pop(name)


def without_images(split: Split) -> Split:
    """Return a split without its pixels and masks: its images have the shape (n, 0, 0, 0)."""
    return replace(split, images=np.empty((len(split.labels), 0, 0, 0), np.uint8), masks=None)


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
    return arrays | {name: getattr(split, name) for name in _AS_THEY_ARE if getattr(split, name) is not None}


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
    own |= {field: arrays.pop(f"{name}.{field}") for field in _AS_THEY_ARE if f"{name}.{field}" in arrays}
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
    soft, least = split.label_probabilities, split.labels.max(initial=0) + 1
    if soft is not None and (soft.ndim != 2 or len(soft) != len(split.labels) or soft.shape[1] < least):
        return f"label_probabilities are of shape {soft.shape}, expected ({len(split.labels)}, {least} or more)"
    return None


def take(split: Split, positions: np.ndarray) -> Split:
    """Return the split's rows at `positions`; images that stay in files are not read."""
    files = isinstance(split.images, ImageFiles)
    images = split.images.subset(positions) if files else split.images[positions]
    rows = {field: getattr(split, field) for field in ("labels", "image_ids", *_OPTIONAL)}
    return replace(split, images=images, **{f: None if a is None else a[positions] for f, a in rows.items()})


# ---- true object masks ----


def foreground(split: Split, rule: str) -> np.ndarray:
    """Return true object masks, bool (n, H, W), that others are evaluated against or that take their place.

    rule: a key of MASK_TRUTHS. Raises UserError if it is not known, or needs what the split lacks.
    """
    if rule not in MASK_TRUTHS:
        raise UserError(f"mask_truth: '{rule}' is not known; choose from {', '.join(MASK_TRUTHS)}")
    return MASK_TRUTHS[rule](split)


def _nonzero_pixels(split: Split) -> np.ndarray:
    return (split.images[:] > 0).any(1)


def _given(split: Split) -> np.ndarray:
    if split.masks is None:
        remedy = "set mask_truth to none or nonzero-pixels, and name a segmenter for augmented models"
        raise UserError(f"masks: given, but the data set has none; {remedy}")
    return split.masks


MASK_TRUTHS = {"nonzero-pixels": _nonzero_pixels, "given": _given}  # rule: f(split) -> bool (n, H, W)

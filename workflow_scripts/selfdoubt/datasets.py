"""Images as uint8 arrays: where they come from, and the one file format that keeps them.

A split's images stay uint8 in memory and on disk; pixels become floats in [0, 1] at the model's door. Sources are
functions in the dictionaries at the bottom, keyed by what stands before the colon in the config: a further one
(cifar10, folder:, parquet:) is a function and a line there.
"""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from selfdoubt import tensor_files
from selfdoubt.errors import UserError


@dataclass(frozen=True)
class Split:
    """Images with their labels; row i of each array is one image."""

    images: np.ndarray  # (n, C, H, W) uint8
    labels: np.ndarray  # (n,) int64; -1 where the image is of no class (out of distribution)
    image_ids: np.ndarray  # (n,) int32; unique in the split, the image's row in its original source


_DTYPES = {"images": np.uint8, "labels": np.int64, "image_ids": np.int32}


def n_classes(split: Split) -> int:
    """Return the number of classes of a split that has an image of the last class, such as "train"."""
    return int(split.labels.max()) + 1


# ---- files ----


def write_splits(path: str | Path, splits: dict[str, Split], metadata: dict) -> None:
    """Write named splits into one .safetensors file, atomically; equal input gives equal bytes.

    metadata: JSON-able.
    Raises ValueError if a split breaks the types of `Split`: that is a programming error.
    """
    arrays = {}
    for name, split in splits.items():
        fault = _fault(split)
        if fault:
            raise ValueError(f"split '{name}': {fault}")
        arrays |= {f"{name}.{field}": getattr(split, field) for field in _DTYPES}
    tensor_files.write(path, arrays, metadata)


def read_splits(path: str | Path) -> dict[str, Split]:
    """Read what `write_splits` wrote; names in alphabetical order.

    Raises UserError if the file is missing, truncated or holds something else.
    """
    arrays, _ = tensor_files.read(path, "images")
    try:
        names = sorted({key.rpartition(".")[0] for key in arrays})
        splits = {name: Split(**{field: arrays.pop(f"{name}.{field}") for field in _DTYPES}) for name in names}
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


def _fault(split: Split) -> str | None:
    """Return what breaks the types of `Split`, if anything does."""
    for field, dtype in _DTYPES.items():
        if getattr(split, field).dtype != dtype:
            return f"{field} are {getattr(split, field).dtype}, expected {np.dtype(dtype)}"
    shapes = [getattr(split, field).shape for field in _DTYPES]
    if len(shapes[0]) != 4 or shapes[1:] != [shapes[0][:1]] * 2:
        return f"images, labels and image_ids are of shapes {shapes}, expected (n, C, H, W), (n,) and (n,)"
    return None


# ---- sources ----


def load_source(source: str, root: Path) -> dict[str, Split]:
    """Return the splits train, val and test of a data set.

    source: as in the config, "KIND:NAME", such as "embedded:fashion-mnist-12k". root: folder of the resources.
    """
    kind, _, name = source.partition(":")
    return _choose(SOURCES, kind, f"source '{source}'")(name, Path(root))


def load_ood(source: str, channels: int, size_px: int) -> Split:
    """Return an out-of-distribution set, labels -1, in the shape of the data set that it is compared with.

    source: as in the config, such as "sklearn:digits". channels: 1 or 3. size_px: height and width.
    """
    kind, _, name = source.partition(":")
    return _choose(OOD_SOURCES, kind, f"source '{source}'")(name, channels, size_px)


def _embedded(name: str, root: Path) -> dict[str, Split]:
    """Read root/NAME/{train,val,test}.parquet: columns image_id, image (PNG bytes), label."""
    if not (root / name / "train.parquet").is_file():
        known = ", ".join(sorted(path.parent.name for path in root.glob("*/train.parquet"))) or "none"
        raise UserError(f"source 'embedded:{name}': no data set in {root / name}; there are: {known}")
    splits = {split: _read_parquet(root / name / f"{split}.parquet") for split in ("train", "val", "test")}
    shapes = {split: images.images.shape[1:] for split, images in splits.items()}
    if len(set(shapes.values())) > 1:
        raise UserError(f"{root / name}: images of the splits differ in shape (C, H, W): {shapes}; make them alike")
    return splits


def _read_parquet(path: Path) -> Split:
    try:
        table = pq.read_table(path, columns=_TABLE.names).cast(_TABLE)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: no whole table of images ({reason}); restore the file") from None
    if not len(table) or any(column.null_count for column in table.columns):
        raise UserError(f"{path}: has no rows, or rows with nulls; restore the file")
    image_ids, images, labels = table.columns
    # Copies, because Arrow's own memory is read-only, of which torch warns.
    return Split(_decode(images.to_pylist(), path), labels.to_numpy().copy(), image_ids.to_numpy().copy())


_TABLE = pa.schema([("image_id", pa.int32()), ("image", pa.binary()), ("label", pa.int64())])


def _decode(encoded: list[bytes], path: Path) -> np.ndarray:
    """Decode images of one shape, grey or RGB, into uint8 (n, C, H, W)."""
    images = []
    for row, content in enumerate(encoded):
        try:
            image = Image.open(io.BytesIO(content))
            pixels = np.asarray(image)  # (H, W) or (H, W, 3)
        except (OSError, SyntaxError, ValueError) as error:
            raise UserError(f"{path}: row {row} is not an image ({error}); restore the file") from None
        if image.mode not in ("L", "RGB"):
            raise UserError(f"{path}: row {row} is an image of mode {image.mode}; convert the images to L or RGB")
        if images and pixels.shape != images[0].shape:
            found = f"row {row} is of shape {pixels.shape}, row 0 of {images[0].shape}"
            raise UserError(f"{path}: {found}; give all images one size and mode")
        images.append(pixels)
    stacked = np.stack(images)
    return stacked[:, None] if stacked.ndim == 3 else np.ascontiguousarray(stacked.transpose(0, 3, 1, 2))


def _sklearn(name: str, channels: int, size_px: int) -> Split:
    """Load scikit-learn's 1,797 handwritten digits (8 x 8, values 0 to 16), resized bilinearly."""
    if name != "digits":
        raise UserError(f"source 'sklearn:{name}' does not exist; there is: sklearn:digits")
    from sklearn.datasets import load_digits

    grey = np.rint(load_digits().images * (255 / 16)).astype(np.uint8)  # (n, 8, 8)
    resized = [Image.fromarray(image).resize((size_px, size_px), Image.Resampling.BILINEAR) for image in grey]
    images = np.repeat(np.stack(resized)[:, None], channels, axis=1)  # (n, C, size_px, size_px)
    return Split(images, np.full(len(images), -1, np.int64), np.arange(len(images), dtype=np.int32))


# ---- where the object is known to be ----


def foreground(images: np.ndarray, rule: str) -> np.ndarray:
    """Return bool (n, H, W), True on the object: the truth that masks are judged by.

    images: uint8 (n, C, H, W). rule: a key of MASK_TRUTHS.
    """
    return _choose(MASK_TRUTHS, rule, "mask_truth")(images)


def _nonzero_pixels(images: np.ndarray) -> np.ndarray:
    return (images > 0).any(1)


def _choose(registry: dict, key: str, what: str):
    if key not in registry:
        raise UserError(f"{what}: '{key}' is not known; choose from {', '.join(registry)}")
    return registry[key]


SOURCES = {"embedded": _embedded}  # kind: f(name, root) -> {"train", "val", "test"}
OOD_SOURCES = {"sklearn": _sklearn}  # kind: f(name, channels, size_px) -> Split
MASK_TRUTHS = {"nonzero-pixels": _nonzero_pixels}  # rule: f(images) -> bool (n, H, W)

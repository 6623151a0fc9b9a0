"""Data sets by the `source` of the config: found, split, decoded, counted.

A source is a function f(place, resources) -> Raw; a further one is a function and a line in SOURCES.
"""

from pathlib import Path

import numpy as np

from selfdoubt.data.datasets import Split
from selfdoubt.data.sources import composed, counts, folders, official, splitting, survey, tables
from selfdoubt.data.sources.raw import Encoded, Pool, Raw
from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError

SOURCES = {
    "embedded": composed.embedded,
    "fashion-mnist": official.fashion_mnist,
    "cifar10": official.cifar10,
    "cifar100": official.cifar100,
    "svhn": official.svhn,
    "stl10": official.stl10,
    "tiny-imagenet": official.tiny_imagenet,
    "imagenet": folders.imagenet,
    "folder": folders.folder,
    "parquet": tables.parquet,
}


def load(settings, resources: Path) -> tuple[dict[str, Split], list[dict]]:
    """Return the splits train, val and test of a data set, and rows of SCHEMAS["data"] about them.

    settings: an entry of the config's `datasets`. resources: folder of its files (published.place_of).
    Raises UserError, in one line, at whatever keeps the images from being a data set.
    """
    raw = find(settings.source, resources)
    chosen = splitting.choose({name: pool.labels for name, pool in raw.pools.items()}, raw.class_names, settings)
    channels, size_px = survey.shape_of(raw.pools["train"].images, settings.channels, settings.size_px)
    seen = {name: _see(pool, channels, size_px, settings) for name, pool in raw.pools.items()}
    splits = {name: _split(raw.pools[pool], seen[pool], size_px, rows) for name, (pool, rows) in chosen.items()}
    digests = {name: seen[pool].digests[rows] for name, (pool, rows) in chosen.items()}
    return splits, counts.rows(raw, splits, digests, seen)


def load_ood(settings, resources: Path, channels: int, size_px: int) -> Split:
    """Return an out-of-distribution set, labels -1, in the shape of the data set that it is compared with.

    settings: an entry of the config's `ood_sets`. channels: 1 or 3. size_px: height and width.
    """
    raw = _digits() if settings.source == "sklearn:digits" else find(settings.source, resources)
    pool = raw.pools.get(settings.split) or raw.pools["train"]
    rows = np.arange(len(pool.labels))
    if settings.n_images is not None and settings.n_images < len(rows):
        draws = randomness.generator(0, "ood-images", len(rows))
        rows = np.sort(draws.choice(rows, settings.n_images, replace=False))
    images = _rows_of(pool.images, rows)
    found = survey.read(images, channels, size_px, resize=True).images
    ids = rows.astype(np.int32) if pool.image_ids is None else pool.image_ids[rows]
    return Split(found, np.full(len(rows), -1, np.int64), ids, ood_classes=pool.labels[rows])


def find(source: str, resources: Path) -> Raw:
    """Return what a source holds, not yet decoded."""
    kind, _, place = source.partition(":")
    if kind not in SOURCES:
        raise UserError(f"source '{source}' is not known; choose from {', '.join(SOURCES)}")
    return SOURCES[kind](place, Path(resources))


def _see(pool: Pool, channels: int, size_px: int, settings) -> survey.Seen:
    if settings.storage == "arrays":
        _check_memory(pool, channels, size_px, settings.max_gb)
        return survey.read(pool.images, channels, size_px, resize=settings.size_px is not None)
    if not isinstance(pool.images, Encoded) or pool.images.root is None:
        raise UserError(f"source '{settings.source}' has no image files; storage: files is for folders and imagenet")
    return survey.keep_in_files(pool.images, channels, size_px)


def _check_memory(pool: Pool, channels: int, size_px: int, max_gb: float) -> None:
    wanted = len(pool.labels) * channels * size_px**2 / 1e9
    if wanted > max_gb:
        found = f"{len(pool.labels)} images of {size_px} px take {wanted:.3g} GB in memory, max_gb is {max_gb:g}"
        raise UserError(f"{found}; set storage: files, a smaller size_px or a larger max_gb")


def _split(pool: Pool, seen: survey.Seen, size_px: int, rows: np.ndarray) -> Split:
    images = seen.images[rows] if isinstance(seen.images, np.ndarray) else seen.images.subset(rows)
    masks = survey.read_masks(None if pool.masks is None else _rows_of(pool.masks, rows), size_px)
    ids = rows.astype(np.int32) if pool.image_ids is None else pool.image_ids[rows]
    return Split(images, pool.labels[rows], ids, masks)


def _rows_of(images: np.ndarray | Encoded, rows: np.ndarray) -> np.ndarray | Encoded:
    return images.rows(rows) if isinstance(images, Encoded) else images[rows]


def _digits() -> Raw:
    """Return scikit-learn's 1,797 handwritten digits (8 x 8, values 0 to 16)."""
    from sklearn.datasets import load_digits

    found = load_digits()
    grey = np.rint(found.images * (255 / 16)).astype(np.uint8)  # (n, 8, 8)
    return Raw({"train": Pool(grey[:, None], found.target.astype(np.int64))}, [str(digit) for digit in range(10)])

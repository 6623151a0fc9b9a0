"""Data sets by the `source` of the config: found, split, decoded, counted.

Each kind of source is a module of `data.sources`. It has

    find(place, folders) -> Raw     labelled images by official split, decoded or not
    name_in(place) -> str           if its place, or a part of it, is a name and no path

and the module of equal name in `settings.sources` defines how the config names it and which files it consists of.
"""

import numpy as np

from selfdoubt.data import counts, splitting, survey
from selfdoubt.data.datasets import Split
from selfdoubt.data.raw import Encoded, Pool, Raw, rows_of
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders


def load(settings, folders: Folders) -> tuple[dict[str, Split], list[dict]]:
    """Return the splits train, val and test of a data set, and rows of COUNTS about them.

    settings: an entry of the config's `datasets`. folders: of the files that it may be made of.
    Raises UserError, in one line, if the images are no data set of two or more classes.
    """
    raw = find(settings.source, folders)
    chosen = splitting.choose({name: pool.labels for name, pool in raw.pools.items()}, raw.class_names, settings)
    channels, size_px = survey.shape_of(raw.pools["train"].images, settings.channels, settings.size_px)
    seen = {name: _see(pool, channels, size_px, settings) for name, pool in raw.pools.items()}
    splits = {name: _split(raw.pools[pool], seen[pool], size_px, rows) for name, (pool, rows) in chosen.items()}
    digests = {name: seen[pool].digests[rows] for name, (pool, rows) in chosen.items()}
    labels = {name: split.labels for name, split in splits.items()}
    table = counts.rows(raw, labels, digests, {name: each.converted for name, each in seen.items()})
    counts.show(table)
    return splits, table


def load_ood(settings, folders: Folders, channels: int, size_px: int) -> Split:
    """Return an out-of-distribution set, labels -1, in the shape of the data set that it is compared with.

    settings: an entry of the config's `ood_sets`, with `max_gb` of the data set. folders: as of `load`.
    channels: 1 or 3. size_px: height and width.
    """
    raw = find(settings.source, folders)
    pool = raw.pools.get(settings.split) or raw.pools["train"]
    rows = np.arange(len(pool.labels))
    if settings.n_images is not None and settings.n_images < len(rows):
        draws = randomness.generator(0, "ood-images", len(rows))
        rows = np.sort(draws.choice(rows, settings.n_images, replace=False))
    survey.check_memory(len(rows), channels, size_px, settings.max_gb, "set n_images of the OOD set")
    images = rows_of(pool.images, rows)
    found = survey.read(images, channels, size_px, resize=True).images
    ids = rows.astype(np.int32) if pool.image_ids is None else pool.image_ids[rows]
    return Split(found, np.full(len(rows), -1, np.int64), ids, ood_classes=pool.labels[rows])


def find(source: str, folders: Folders) -> Raw:
    """Return what a source holds, not yet decoded; raises UserError if there is no such kind of source."""
    kind, _, place = source.partition(":")
    return methods.load("data.sources", kind).find(place, folders)


def without_path(source: str) -> str:
    """Return a source without the path in its place, which does not say what the images are."""
    kind, _, place = source.partition(":")
    name = getattr(methods.load("data.sources", kind), "name_in", lambda place: "")(place)
    return f"{kind}:{name}" if name else kind


def _see(pool: Pool, channels: int, size_px: int, settings) -> survey.Seen:
    if settings.storage == "arrays":
        survey.check_memory(
            len(pool.labels), channels, size_px, settings.max_gb, "set storage: files, a smaller size_px"
        )
        return survey.read(pool.images, channels, size_px, resize=settings.size_px is not None)
    if not isinstance(pool.images, Encoded) or pool.images.root is None:
        raise UserError(f"source '{settings.source}' has no image files; storage: files needs some, use arrays")
    return survey.keep_in_files(pool.images, channels, size_px)


def _split(pool: Pool, seen: survey.Seen, size_px: int, rows: np.ndarray) -> Split:
    images = seen.images[rows] if isinstance(seen.images, np.ndarray) else seen.images.subset(rows)
    ids = rows.astype(np.int32) if pool.image_ids is None else pool.image_ids[rows]
    soft = None if pool.label_probabilities is None else pool.label_probabilities[rows]
    masks = survey.read_masks(pool, rows, size_px)
    return Split(images, pool.labels[rows], ids, masks, label_probabilities=soft)

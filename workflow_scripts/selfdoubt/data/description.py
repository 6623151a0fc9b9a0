"""What is found in a source before anything is prepared: counts, sizes, duplicates, what is ignored, what is wrong.

Every image is decoded once, in its own size: without torch, and without the memory of a split.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from selfdoubt.data import catalog, counts, decoding, splitting, survey
from selfdoubt.data.mask_counts import warning_of
from selfdoubt.data.raw import Encoded, Pool, Raw
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.catalog import files_of
from selfdoubt.settings.source_files import Folders

_DRAWN = {"val": "val_fraction", "test": "test_fraction"}  # of train, where a source lacks them


@dataclass
class Found:
    """What the images of one pool are."""

    labels: np.ndarray  # (n,)
    digests: np.ndarray  # (n,) of size and pixels; of an image that cannot be decoded, one of its own
    sizes: Counter  # of (width, height), px
    converted: Counter = field(default_factory=Counter)
    masks: Counter = field(default_factory=Counter)  # "all", "empty", "full"
    faults: list[UserError] = field(default_factory=list)


def describe(settings, folders: Folders) -> tuple[list[str], list[UserError]]:
    """Return lines about a source, with warnings, and what would stop its preparation.

    settings: an entry of the config's `datasets`. folders: of the files that it may be made of.
    Raises UserError if it cannot be listed at all.
    """
    for path in files_of(settings.source, folders):  # which names all folders that cannot be read, not just the first
        if not Path(path).exists():
            raise UserError(f"{path} is missing; a study fetches it, or name your own copy: {settings.source}:PATH")
    raw = catalog.find(settings.source, folders)
    found = {name: _look(name, pool, settings.channels) for name, pool in raw.pools.items()}
    labels, digests, converted = (
        {name: getattr(each, what) for name, each in found.items()} for what in ("labels", "digests", "converted")
    )
    rows = counts.rows(raw, labels, digests, converted)
    lines = [*_class_table(raw, rows), ""]
    for split, key in _DRAWN.items():
        if split not in found:
            lines.append(f"{split}: none; {getattr(settings, key):.0%} of each class of train are drawn ({key})")
    for name, each in found.items():
        lines += _sizes(name, each, settings.size_px)
        lines += _masks(name, each.masks)
    lines += [counts.line(row) for row in rows if row["statistic"] != "images" and row["count"]]
    lines += _repeated(found)
    return lines, [*_faults(raw, found, settings)]


def _look(name: str, pool: Pool, channels: int | None) -> Found:
    """Decode the images of the pool of a name, and their masks."""
    images, n = pool.images, len(pool.labels)
    if not isinstance(images, Encoded):
        return Found(pool.labels, survey.digests_of(images), Counter({images.shape[:1:-1]: n}))
    found = Found(pool.labels, np.array([f"{name} {i}" for i in range(n)], "S16"), Counter())
    seen = survey.decoded(images, channels, lambda image, _: (image.size, survey.digest(_pixels(image))))
    for position, (one, converted) in enumerate(seen):
        if isinstance(one, decoding.Undecodable):
            found.faults.append(one)
            continue
        found.sizes[one[0]] += 1
        found.digests[position] = one[1]
        found.converted.update([converted] if converted else [])
    if isinstance(pool.masks, Encoded):
        _look_at_masks(pool, found)
    return found


def _pixels(image) -> bytes:
    return b"%d %d %s" % (*image.size, image.tobytes())


def _look_at_masks(pool: Pool, found: Found) -> None:
    def one(position: int):
        try:
            return survey.checked_mask(pool.masks, pool.images, position)
        except UserError as fault:
            return fault

    for mask in survey.in_turn(one, len(pool.masks)):
        if isinstance(mask, UserError):
            found.faults.append(mask)
            continue
        found.masks.update({"in all": 1, "empty": int(not mask.any()), "full": int(mask.all())})


# ---- what is printed ----


def _class_table(raw: Raw, rows: list[dict]) -> Iterator[str]:
    """Yield a line for each class, with a column for each split, and one of the sums."""
    images = {(row["class_name"], row["split"]): row["count"] for row in rows if row["statistic"] == "images"}
    width = max(map(len, [*raw.class_names, "class", "all"]))
    yield f"{'class':{width}}" + "".join(f"{split:>10}" for split in raw.pools)
    for name in [*raw.class_names, None]:
        yield f"{name or 'all':{width}}" + "".join(f"{images[name, split]:>10,}" for split in raw.pools)


def _sizes(name: str, found: Found, size_px: int | None) -> Iterator[str]:
    if not found.sizes:
        return
    shorter = Counter()
    for size, n in found.sizes.items():
        shorter[min(size)] += n
    (width, height), n = found.sizes.most_common(1)[0]
    several = f"{len(found.sizes):,} sizes, shorter side {min(shorter)} to {max(shorter)} px; the most frequent: "
    yield f"{name}: {several if len(found.sizes) > 1 else ''}{width} x {height} px ({n:,} images)"
    if size_px is not None:
        enlarged = sum(n for side, n in shorter.items() if side < size_px)
        cut = sum(n * (1 - min(size) / max(size)) for size, n in found.sizes.items()) / found.sizes.total()
        yield f"{name}: at {size_px} px {enlarged:,} images are enlarged; of an image {cut:.0%} are cut off, on average"


def _masks(name: str, masks: Counter) -> Iterator[str]:
    if masks:
        yield f"{name}: masks: {', '.join(f'{n:,} {how}' for how, n in masks.items())}"
        if warning := warning_of(masks["empty"], masks["full"], masks["in all"]):
            yield f"{name}: warning: of the masks {warning}"


def _repeated(found: dict[str, Found]) -> Iterator[str]:
    """Yield what the counts of duplicates do not hold: those of val in test, those of other classes, that none are."""
    digests = np.concatenate([each.digests for each in found.values()])
    if len(np.unique(digests)) == len(digests):
        yield "all: no duplicates"
        return
    if n := len(set(found["val"].digests) & set(found["test"].digests)) if {"val", "test"} <= found.keys() else 0:
        yield f"val and test: {n:,} images are in both"
    labels = np.concatenate([each.labels for each in found.values()])
    different = np.unique(np.array([digests, labels.astype("S16")]), axis=1)[0]
    _, times = np.unique(different, return_counts=True)
    if n := int((times > 1).sum()):
        yield f"all: {n:,} images are in several classes"


def _faults(raw: Raw, found: dict[str, Found], settings) -> Iterator[UserError]:
    for each in found.values():
        if each.faults:
            more = f" (and {len(each.faults) - 1} more)" if len(each.faults) > 1 else ""
            yield UserError(f"{each.faults[0]}{more}")
    sizes = set().union(*(each.sizes for each in found.values()))
    if settings.size_px is None and (len(sizes) > 1 or any(width != height for width, height in sizes)):
        yield UserError("images are of several sizes, or not square; set size_px, to resize and cut out the middle")
    try:
        splitting.choose({name: pool.labels for name, pool in raw.pools.items()}, raw.class_names, settings)
    except UserError as fault:
        yield fault

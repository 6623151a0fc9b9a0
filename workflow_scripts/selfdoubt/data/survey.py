"""Reading every image of a pool once: into memory, or just for a digest of its file."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from selfdoubt.data import decoding
from selfdoubt.data.image_files import THREADS, ImageFiles
from selfdoubt.data.raw import Encoded
from selfdoubt.runtime.errors import UserError

_AT_ONCE = 256


@dataclass
class Seen:
    """The images of a pool, with digests that find duplicates and the conversions that were made."""

    images: np.ndarray | ImageFiles  # (n, C, H, W) uint8
    digests: np.ndarray  # (n,) of the pixels, or of the file where the images stay in files
    converted: Counter = field(default_factory=Counter)  # by conversion, such as "RGBA to RGB"


def shape_of(images: np.ndarray | Encoded, channels: int | None, size_px: int | None) -> tuple[int, int]:
    """Return the number of channels and the size, px; where a setting is None, those of the first image.

    Raises UserError if the size is to be that of the first image and it is not square.
    """
    if isinstance(images, Encoded):
        first = _decoded(images, 0, channels)
        height, width, found = first.height, first.width, len(first.getbands())
    else:
        found, height, width = images.shape[1:]
    if size_px is None and height != width:
        where = images.names[0] if isinstance(images, Encoded) else "the images"
        raise UserError(f"{where}: of {width} x {height} px, not square; set size_px, to resize and cut out the middle")
    return channels or found, size_px or height


def read(images: np.ndarray | Encoded, channels: int, size_px: int, resize: bool) -> Seen:
    """Return the images as an array of the wanted channels and size, px.

    resize: whether to resize others; if not, or if one cannot be decoded, raises UserError.
    """
    if not isinstance(images, Encoded):
        array = decoding.fit(images, channels, size_px)
        return Seen(array, np.array([_digest(image.tobytes()) for image in array]))
    seen = Seen(np.empty((len(images), channels, size_px, size_px), np.uint8), np.empty(len(images), "S16"))
    faults = []

    def one(position: int):
        try:
            image, converted = decoding.decode(images.content(position), channels)
        except decoding.Undecodable as reason:
            return reason, None
        if not resize and image.size != (size_px, size_px):
            reason = f"of {image.width} x {image.height} px, the first of {size_px} x {size_px}"
            raise UserError(f"{images.names[position]}: {reason}; set size_px, to resize and cut out the middle")
        return decoding.view(image, size_px), converted

    for position, (found, converted) in enumerate(_in_turn(one, len(images))):
        if isinstance(found, decoding.Undecodable):
            faults.append((position, found))
            continue
        seen.images[position], seen.digests[position] = found, _digest(found.tobytes())
        seen.converted.update([converted] if converted else [])
    if faults:
        raise decoding.undecodable(images.names[faults[0][0]], faults[0][1], len(faults) - 1)
    return seen


def keep_in_files(images: Encoded, channels: int, size_px: int) -> Seen:
    """Return the images as files, each read once for its digest.

    Raises UserError at an empty file; at one that cannot be decoded, it is raised when the image is used.
    """
    digests = np.empty(len(images), "S16")
    for position, content in enumerate(_in_turn(images.content, len(images))):
        if not content:
            raise decoding.undecodable(images.names[position], decoding.Undecodable("the file is empty"))
        digests[position] = _digest(content)
    return Seen(ImageFiles(images.root, list(images.names), channels, size_px), digests)


def read_masks(masks: np.ndarray | Encoded | None, size_px: int) -> np.ndarray | None:
    """Return masks bool (n, size_px, size_px), cut as their images are; pixels above 0 are object."""
    if not isinstance(masks, Encoded):
        return masks
    found = [decoding.mask_view(_decoded(masks, position, 1), size_px) for position in range(len(masks))]
    return np.stack(found)


def _decoded(images: Encoded, position: int, channels: int | None):
    try:
        return decoding.decode(images.content(position), channels)[0]
    except decoding.Undecodable as reason:
        raise decoding.undecodable(images.names[position], reason) from None


def _in_turn(function, n: int) -> Iterator:
    """Yield function(0), function(1), …, computed by threads, few at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, n, _AT_ONCE):
            yield from pool.map(function, range(start, min(start + _AT_ONCE, n)))


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest().replace(b"\0", b"\1")  # numpy cuts zeros off the end

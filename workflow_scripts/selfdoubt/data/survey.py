"""Reading every image of a pool once: into memory, or just for a digest of its file."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from selfdoubt.data import decoding
from selfdoubt.data.image_files import THREADS, ImageFiles
from selfdoubt.data.raw import Encoded, Pool, rows_of
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
        first, _ = decoding.decode(images.content(0), images.names[0], channels)
        height, width, found = first.height, first.width, len(first.getbands())
    else:
        found, height, width = images.shape[1:]
    if size_px is None and height != width:
        where = images.names[0] if isinstance(images, Encoded) else "the images"
        raise UserError(f"{where}: of {width} x {height} px, not square; set size_px, to resize and cut out the middle")
    return channels or found, size_px or height


def check_memory(n_images: int, channels: int, size_px: int, max_gb: float, remedy: str) -> None:
    """Raise UserError if images take more memory as an array than max_gb, in GB; the line ends with the remedy."""
    wanted = n_images * channels * size_px**2 / 1e9
    if wanted > max_gb:
        found = f"{n_images} images of {size_px} px take {wanted:.3g} GB in memory, max_gb is {max_gb:g}"
        raise UserError(f"{found}; {remedy} or a larger max_gb")


def read(images: np.ndarray | Encoded, channels: int, size_px: int, resize: bool) -> Seen:
    """Return the images as an array of the wanted channels and size, px.

    resize: whether to resize others; if not, or if one cannot be decoded, raises UserError.
    """
    if not isinstance(images, Encoded):
        array = decoding.fit(images, channels, size_px)
        return Seen(array, digests_of(array))
    seen = Seen(np.empty((len(images), channels, size_px, size_px), np.uint8), np.empty(len(images), "S16"))

    def fitted(image: Image.Image, name: str) -> np.ndarray:
        if not resize and image.size != (size_px, size_px):
            reason = f"of {image.width} x {image.height} px, the first of {size_px} x {size_px}"
            raise UserError(f"{name}: {reason}; set size_px, to resize and cut out the middle")
        return decoding.view(image, size_px)

    faults = []
    for position, (found, converted) in enumerate(decoded(images, channels, fitted)):
        if isinstance(found, decoding.Undecodable):
            faults.append(found)
            continue
        seen.images[position], seen.digests[position] = found, digest(found.tobytes())
        seen.converted.update([converted] if converted else [])
    if faults:
        raise UserError(f"{faults[0]}{f' (and {len(faults) - 1} more)' if len(faults) > 1 else ''}")
    return seen


def decoded(images: Encoded, channels: int | None, use: Callable) -> Iterator[tuple]:
    """Yield use(image, name), and the conversion that the image took, of each image in turn.

    One that cannot be decoded: the `decoding.Undecodable`, and None.
    """

    def one(position: int) -> tuple:
        name = images.names[position]
        try:
            image, converted = decoding.decode(images.content(position), name, channels)
        except decoding.Undecodable as fault:
            return fault, None
        return use(image, name), converted

    return in_turn(one, len(images))


def keep_in_files(images: Encoded, channels: int, size_px: int) -> Seen:
    """Return the images as files, each read once for its digest.

    Raises UserError at an empty file; at one that cannot be decoded, it is raised when the image is used.
    """
    digests = np.empty(len(images), "S16")
    for position, content in enumerate(in_turn(images.content, len(images))):
        if not content:
            raise decoding.undecodable(images.names[position], "the file is empty")
        digests[position] = digest(content)
    return Seen(ImageFiles(images.root, list(images.names), channels, size_px), digests)


def read_masks(pool: Pool, rows: np.ndarray, size_px: int) -> np.ndarray | None:
    """Return the masks at some rows of a pool, bool (n, size_px, size_px), cut as their images are.

    Raises UserError, with both sizes, at a mask of another shape than its upright image.
    """
    if pool.masks is None:
        return None
    masks = rows_of(pool.masks, rows)
    if not isinstance(masks, Encoded):
        return np.stack([decoding.mask_view(mask, size_px) for mask in masks])
    images = rows_of(pool.images, rows)
    found = np.empty((len(masks), size_px, size_px), bool)
    for position, mask in enumerate(in_turn(lambda i: checked_mask(masks, images, i), len(masks))):
        found[position] = decoding.mask_view(mask, size_px)
    return found


def checked_mask(masks: Encoded, images: Encoded, position: int) -> np.ndarray:
    """Return one mask, bool (H, W), of the height and width of its upright image; raises UserError at another's."""
    mask = decoding.decode_mask(masks.content(position), masks.names[position])
    width, height = decoding.size_of(images.content(position), images.names[position])
    if mask.shape != (height, width):
        found = f"a mask of {mask.shape[1]} x {mask.shape[0]} px for an image of {width} x {height}"
        remedy = "draw it on the image as it is shown, its orientation applied"
        raise UserError(f"{masks.names[position]}: {found}; {remedy}")
    return mask


def digests_of(images: np.ndarray) -> np.ndarray:
    """Return digests of the pixels of an array of images."""
    return np.array([digest(image.tobytes()) for image in images])


def in_turn(function, n: int) -> Iterator:
    """Yield function(0), function(1), …, computed by threads, few at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, n, _AT_ONCE):
            yield from pool.map(function, range(start, min(start + _AT_ONCE, n)))


def digest(content: bytes) -> bytes:
    """Return 16 bytes that distinguish contents."""
    return hashlib.blake2b(content, digest_size=16).digest().replace(b"\0", b"\1")  # numpy cuts zeros off the end

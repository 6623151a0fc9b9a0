"""Decoding of image files to uint8 pixels of given channels and size, and of masks; conversions are reported by name.

Whatever a decoder raises becomes one error that names the file. 8-bit grey and RGB are taken as they are. The rest is
converted: transparency is laid onto white, 16 bits are scaled to 8, palettes and other colour spaces become RGB, a
camera's orientation is applied. Pixels without a fixed range (32-bit integers, floats) are refused.
"""

import io
from collections.abc import Callable
from itertools import chain
from typing import TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from selfdoubt.data import metadata
from selfdoubt.runtime.errors import UserError

# Pillow goes by the content, and would start Ghostscript for PostScript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp")
IMAGE_SUFFIXES += (".pnm", ".pbm", ".pgm", ".ppm")
_MODES = {1: "L", 3: "RGB"}
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N")
_UNBOUNDED = ("I", "F")
Taken = TypeVar("Taken")


class Undecodable(UserError):
    """A file that is no image, is damaged, or has pixels without a fixed range."""


def undecodable(name: str, reason: str) -> Undecodable:
    """Return the error about a file."""
    return Undecodable(f"{name}: cannot be decoded ({reason}); repair or remove it")


def decode(content: bytes, name: str, channels: int | None) -> tuple[Image.Image, str | None]:
    """Return an image of mode L (1 channel) or RGB (3), and the name of the conversion that it took, if any.

    name: of the file. channels: 1, 3, or None for those of the image. Raises Undecodable.
    """
    return _take(content, name, lambda image: _in_mode(_loaded(image), channels))


def decode_mask(content: bytes, name: str) -> np.ndarray:
    """Return where a mask is above 0 and not transparent, bool (H, W), in the file's own size, upright.

    Raises Undecodable.
    """
    return _take(content, name, lambda image: _above_0(_loaded(image)))


def size_of(content: bytes, name: str) -> tuple[int, int]:
    """Return width and height of an upright image, px, from its header; raises Undecodable."""
    return _take(content, name, metadata.upright_size)


def is_image(start: bytes) -> bool:
    """Return whether a file of any suffix begins as images do: JPEG, PNG, GIF, WebP.

    Not TIFF: files in cameras' raw formats begin in the same way.
    """
    return start.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")) or start[8:12] == b"WEBP"


def _take(content: bytes, name: str, take: Callable[[Image.Image], Taken]) -> Taken:
    """Return take(image) of a file's content; if that fails, of the content without its metadata."""
    if not content:
        raise undecodable(name, "the file is empty")
    first = None
    for each in chain([content], metadata.without(content)):
        try:
            with Image.open(io.BytesIO(each), formats=FORMATS) as image:
                return take(image)
        except MemoryError:
            raise
        except Exception as error:  # which ones decoders raise is not documented; the content is in memory
            first = first or error
    raise undecodable(name, _reason(first)) from None


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "no PNG, JPEG, BMP, GIF, TIFF, WebP or PNM image"
    text = str(error).split("\n")[0]
    return text if " " in text else f"{type(error).__name__} {text}".rstrip()


def _loaded(image: Image.Image) -> Image.Image:
    image.load()
    return metadata.upright(image)


def _in_mode(image: Image.Image, channels: int | None) -> tuple[Image.Image, str | None]:
    taken, is_wide = image.mode, image.mode in _WIDE or (image.mode == "I" and image.format == "PPM")
    if taken == "LAB":  # which Pillow converts to RGB alone
        image = image.convert("RGB")
    if is_wide:  # of PNM Pillow scales what is above 8 bits to 16
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif taken in _UNBOUNDED:
        raise ValueError(f"pixels of mode {taken} have no fixed range; save it with 8 or 16 bits")
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("L" if taken in ("LA", "La") else "RGB")
    wanted = _MODES[channels] if channels else ("L" if image.mode in ("L", "1") else "RGB")
    if image.mode != wanted:
        image = image.convert(wanted)
    return image, None if taken == wanted else f"{taken} to {wanted}"


def _above_0(image: Image.Image) -> np.ndarray:
    if image.mode in ("1", "L", *_WIDE, *_UNBOUNDED):
        above = np.asarray(image) > 0
    else:
        above = (np.asarray(image.convert("RGB")) > 0).any(2)
    if image.has_transparency_data:
        above &= np.asarray(image.convert("RGBA"))[:, :, 3] > 0
    return above


def view(image: Image.Image, size_px: int) -> np.ndarray:
    """Return uint8 (C, size_px, size_px): the shorter side resized (bilinear, antialiased), then centre-cropped."""
    return as_array(_cut(image, size_px, "bilinear"))


def mask_view(mask: np.ndarray, size_px: int) -> np.ndarray:
    """Return bool (size_px, size_px) of a mask, bool (H, W): cut as by `view`, but with the nearest pixel's value."""
    return as_array(_cut(Image.fromarray(mask.astype(np.uint8)), size_px, "nearest"))[0] > 0


def _cut(image: Image.Image, size_px: int, interpolation: str) -> Image.Image:
    if image.size == (size_px, size_px):
        return image
    from torchvision.transforms import v2

    how = v2.InterpolationMode(interpolation)
    resized = v2.functional.resize(image, [size_px], interpolation=how, antialias=True)
    return v2.functional.center_crop(resized, [size_px] * 2)


def as_array(image: Image.Image) -> np.ndarray:
    """Return uint8 (C, H, W) of an image of mode L or RGB."""
    array = np.asarray(image)
    return array[None] if array.ndim == 2 else array.transpose(2, 0, 1)


def fit(images: np.ndarray, channels: int | None, size_px: int | None) -> np.ndarray:
    """Return uint8 images (n, C, H, W), grey or RGB, in other channels and size; None: those they have."""
    same = channels in (None, images.shape[1]) and (size_px is None or images.shape[2:] == (size_px, size_px))
    if same:
        return images
    channels, size_px = channels or images.shape[1], size_px or images.shape[2]
    fitted = np.empty((len(images), channels, size_px, size_px), np.uint8)
    for row, image in zip(fitted, images, strict=True):
        pixels = Image.fromarray(image[0] if len(image) == 1 else image.transpose(1, 2, 0))
        row[:] = view(pixels.convert(_MODES[channels]), size_px)
    return fitted

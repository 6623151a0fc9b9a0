"""Decoding of image files to uint8 pixels of given channels and size; conversions are reported by name.

8-bit grey and RGB are taken as they are. The rest is converted: transparency is laid onto white, 16 bits are scaled to
8, palettes and other colour spaces become RGB, a camera's orientation is applied. Pixels without a fixed range (32-bit
integers, floats) are refused.
"""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from selfdoubt.runtime.errors import UserError

# Those of source_files.IMAGE_SUFFIXES. Pillow goes by the content, and would start Ghostscript for PostScript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
_MODES = {1: "L", 3: "RGB"}
_WIDE = ("I;16", "I;16B", "I;16L", "I;16N")


class Undecodable(Exception):
    """Content that is no image, or an image without a fixed range of pixels; the message gives the reason."""


def decode(content: bytes, channels: int | None) -> tuple[Image.Image, str | None]:
    """Return an image of mode L (1 channel) or RGB (3), and the name of the conversion that it took, if any.

    channels: 1, 3, or None for those of the image. Raises Undecodable.
    """
    if not content:
        raise Undecodable("the file is empty")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
    except UnidentifiedImageError:
        raise Undecodable("no PNG, JPEG, BMP, GIF, TIFF, WebP or PNM image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Undecodable(str(error).split("\n")[0]) from None
    return _in_mode(image, channels)


def _in_mode(image: Image.Image, channels: int | None) -> tuple[Image.Image, str | None]:
    taken = image.mode
    if taken in _WIDE:
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif taken in ("I", "F"):
        raise Undecodable(f"pixels of mode {taken} have no fixed range; save it with 8 or 16 bits")
    elif image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("L" if taken in ("LA", "La") else "RGB")
    wanted = _MODES[channels] if channels else ("L" if image.mode in ("L", "1") else "RGB")
    if image.mode != wanted:
        image = image.convert(wanted)
    return image, None if taken == wanted else f"{taken} to {wanted}"


def view(image: Image.Image, size_px: int) -> np.ndarray:
    """Return uint8 (C, size_px, size_px): the shorter side resized (bilinear, antialiased), the middle cut out."""
    return as_array(_cut(image, size_px, "bilinear"))


def mask_view(image: Image.Image, size_px: int) -> np.ndarray:
    """Return bool (size_px, size_px), True above 0: cut as by `view`, but with the nearest pixel's value."""
    return as_array(_cut(image, size_px, "nearest"))[0] > 0


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


def undecodable(place: str, reason: Exception, others: int = 0) -> UserError:
    """Return the error about a file that is no image; others: how many more such files there are."""
    more = f" (and {others} more)" if others else ""
    return UserError(f"{place}: cannot be decoded ({reason}); repair or remove it{more}")

"""Shifted test images: eight corruptions at five severities, after Hendrycks & Dietterich (ICLR 2019).

Rotation is from MNIST-C (Mu & Gilmer 2019). Strengths, where they come from and a picture: docs/corruptions.md. Each
corruption draws from the generator that it is handed, image after image and as much at every severity. So batches
change nothing, and severities differ in strength alone: the same noise is louder, the same images turn the same way
further. `corrupt` works in batches, so images may stay in their files; what it returns is in memory.

Left out: weather, which needs textures of its own, and motion, defocus and zoom blur, of which one blur is a witness.
Not torchvision's transforms: its JPEG is about to be removed (Pillow gives equal bytes), its brightness multiplies,
which leaves black as it is, and its elastic transform lets one colour in at the border. So torch is not needed.
"""

import io

import numpy as np
from PIL import Image
from scipy import ndimage

from selfdoubt.data.datasets import Split
from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError

STRENGTHS = {
    # severity           1     2     3     4     5
    "gaussian-noise": (0.04, 0.08, 0.12, 0.18, 0.26),  # standard deviation; pixels are in [0, 1]
    "gaussian-blur": (0.40, 0.60, 0.80, 1.10, 1.50),  # standard deviation in pixels, see `enlargement`
    "brightness": (0.10, 0.20, 0.30, 0.40, 0.50),  # added to the value (HSV) of a pixel; pixels are in [0, 1]
    "contrast": (0.75, 0.50, 0.40, 0.30, 0.15),  # factor on the distance to the mean of image and channel
    "jpeg": (80, 60, 40, 25, 15),  # quality of libjpeg, 1 to 100
    "pixelate": (0.80, 0.65, 0.50, 0.40, 0.30),  # what is left of height and width
    "elastic": (0.40, 0.70, 1.00, 1.40, 1.90),  # standard deviation of displacements in pixels, see `enlargement`
    "rotation": (5.0, 10.0, 15.0, 22.5, 30.0),  # degrees, clockwise or counter-clockwise at random
}
_REFERENCE_PX = 32  # lengths hold for images up to this height or width, whichever is less
_NODES = 6  # along height and along width, where displacements are drawn
_BATCH = 64


def corrupt(split: Split, name: str, severities: list[int], n_images: int, seed: int) -> dict[str, Split]:
    """Return {"NAME-SEVERITY": a class-balanced subset of `split`, corrupted}; ids and labels are kept.

    n_images: how many of `split`. They depend neither on `seed` nor on `name`: all corruptions show the same images.
    seed: of the corruption's own draws.
    """
    if name not in CORRUPTIONS:
        raise UserError(f"'{name}' is not a corruption; choose from {', '.join(CORRUPTIONS)}")
    chosen = balanced_subset(split.labels, n_images, randomness.generator(0, "corrupted-images"))
    draws = {severity: randomness.generator(seed, f"corruption-{name}") for severity in severities}
    images = {severity: np.empty((n_images, *split.images.shape[1:]), np.uint8) for severity in severities}
    for start in range(0, n_images, _BATCH):
        batch = split.images[chosen[start : start + _BATCH]]  # decoded once for all severities
        for severity in severities:
            images[severity][start : start + _BATCH] = CORRUPTIONS[name](batch, severity, draws[severity])
    labels, image_ids = split.labels[chosen], split.image_ids[chosen]
    return {f"{name}-{severity}": Split(images[severity], labels, image_ids) for severity in severities}


def enlargement(height: int, width: int) -> float:
    """Return the factor on strengths that are lengths: 1 up to 32 px (the shorter side), then in proportion."""
    return max(1.0, min(height, width) / _REFERENCE_PX)


def balanced_subset(labels: np.ndarray, n: int, generator: np.random.Generator) -> np.ndarray:
    """Draw n indices without replacement, equally many of every class, sorted.

    Where n is no multiple of the number of classes, the lowest classes give one more.
    """
    classes = np.unique(labels)
    counts = np.full(len(classes), n // len(classes)) + (np.arange(len(classes)) < n % len(classes))
    chosen = []
    for label, count in zip(classes, counts, strict=True):
        members = np.flatnonzero(labels == label)
        if len(members) < count:
            found = f"class {label} has {len(members)}"
            raise UserError(f"{n} class-balanced images need {count} of each class, {found}; ask for fewer")
        chosen.append(generator.choice(members, count, replace=False))
    return np.sort(np.concatenate(chosen))


def gaussian_noise(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Add independent normal noise to every pixel and channel."""
    deviation = 255 * _strength("gaussian-noise", severity)
    return _to_uint8(images + deviation * generator.standard_normal(images.shape, np.float32))


def gaussian_blur(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Convolve with a Gaussian; the border is repeated outwards."""
    deviation_px = _strength("gaussian-blur", severity) * enlargement(*images.shape[2:])
    return _to_uint8(ndimage.gaussian_filter(images, deviation_px, axes=(2, 3), mode="nearest", output=np.float32))


def brightness(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Raise the value of every pixel, the largest of its channels, at most to white; hue and saturation stay.

    Black has no hue and becomes grey.
    """
    value = images.max(1, keepdims=True).astype(np.float32)
    raised = np.minimum(value + 255 * _strength("brightness", severity), 255)
    return _to_uint8(np.where(value > 0, images * (raised / np.maximum(value, 1)), raised))


def contrast(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Pull every pixel towards the mean of its image and channel."""
    mean = images.mean((2, 3), keepdims=True, dtype=np.float32)
    return _to_uint8(mean + _strength("contrast", severity) * (images - mean))


def jpeg(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Write as JPEG, colours at half the resolution, and read again; blocks of 8 x 8 px do not grow with the image."""
    quality, read = _strength("jpeg", severity), np.empty_like(images)
    for image, result in zip(images, read, strict=True):
        pixels, file = image.transpose(1, 2, 0), io.BytesIO()  # (H, W, C)
        Image.fromarray(pixels[..., 0] if len(image) == 1 else pixels).save(file, "JPEG", quality=quality)
        result[:] = np.atleast_3d(Image.open(file, formats=["JPEG"])).transpose(2, 0, 1)
    return read


def pixelate(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Average over fewer, larger pixels, and show them at the old size."""
    n, channels, height, width = images.shape
    small = [max(1, round(side * _strength("pixelate", severity))) for side in (width, height)]
    planes = np.empty((n * channels, height, width), np.uint8)
    for plane, clean in zip(planes, images.reshape(planes.shape), strict=True):
        averaged = Image.fromarray(clean).resize(small, Image.Resampling.BOX)
        plane[:] = averaged.resize((width, height), Image.Resampling.NEAREST)
    return planes.reshape(images.shape)


def elastic(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Move every pixel by a smooth random field (Simard, Steinkraus & Platt 2003), bilinearly.

    Displacements are drawn on 6 x 6 nodes spread over the image, cubic splines between (as Ronneberger et al. 2015),
    so that the same draws bend an image of any size alike. Beyond the border the image is mirrored.
    """
    height, width = images.shape[2:]
    deviation_px = _strength("elastic", severity) * enlargement(height, width)
    nodes = deviation_px * generator.standard_normal((len(images), 2, _NODES, _NODES), np.float32)
    here = np.mgrid[:height, :width].astype(np.float32)
    at_nodes = here * ((_NODES - 1) / np.maximum([height - 1, width - 1], 1)).astype(np.float32)[:, None, None]
    moved = np.empty_like(images)
    for image, axes, result in zip(images, nodes, moved, strict=True):
        field = [ndimage.map_coordinates(axis, at_nodes, order=3, mode="nearest") for axis in axes]
        for channel, into in zip(image, result, strict=True):
            pixels = ndimage.map_coordinates(channel, here + field, np.float32, order=1, mode="reflect")
            into[:] = _to_uint8(pixels)
    return moved


def rotation(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Turn about the centre, bilinearly; what comes in at the corners is the median of the image's border."""
    degrees = _strength("rotation", severity)
    background = _border_median(images)
    pixels = images - background  # so that 0 is the background
    for turned, sign in zip(_halves(len(images), generator), (-1, 1), strict=True):
        angle, upright = sign * degrees, pixels[turned]
        pixels[turned] = ndimage.rotate(upright, angle, (2, 3), reshape=False, order=1, mode="grid-constant")
    return _to_uint8(pixels + background)


def _halves(n: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    heads = generator.random(n) < 0.5
    return heads, ~heads


def _border_median(images: np.ndarray) -> np.ndarray:
    """Return the median of the outermost pixels, float32 (n, C, 1, 1)."""
    border = np.ones(images.shape[2:], bool)
    border[1:-1, 1:-1] = False
    return np.median(images[:, :, border], -1)[:, :, None, None].astype(np.float32)


def _strength(name: str, severity: int) -> float:
    if severity not in range(1, 6):
        raise UserError(f"severity {severity} of {name} does not exist; choose from 1, 2, 3, 4, 5")
    return STRENGTHS[name][severity - 1]


def _to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Round pixels in [0, 255] to the nearest integer; those outside are clipped."""
    return np.rint(pixels).clip(0, 255).astype(np.uint8)


CORRUPTIONS = {
    "gaussian-noise": gaussian_noise,
    "gaussian-blur": gaussian_blur,
    "brightness": brightness,
    "contrast": contrast,
    "jpeg": jpeg,
    "pixelate": pixelate,
    "elastic": elastic,
    "rotation": rotation,
}

"""Shifted test images: four corruptions at five severities, as in Hendrycks & Dietterich (ICLR 2019).

Noise, blur and contrast are theirs; rotation is from MNIST-C (Mu & Gilmer 2019). Strengths are set for images of
28-32 pixels, where ImageNet-C's blur would leave nothing. Each corruption draws from the generator that it is
handed, and `corrupt` hands the same draws to every severity, so severities differ in strength alone: the same noise
is louder, the same images turn the same way further. Left out: the weather and JPEG corruptions, which need
textures or an encoder and say little about small grey images.
"""

import dataclasses

import numpy as np
from scipy import ndimage

from selfdoubt import randomness
from selfdoubt.datasets import Split
from selfdoubt.errors import UserError

STRENGTHS = {
    # severity           1     2     3     4     5
    "gaussian-noise": (0.04, 0.08, 0.12, 0.18, 0.26),  # standard deviation; pixels are in [0, 1]
    "gaussian-blur": (0.40, 0.60, 0.80, 1.10, 1.50),  # standard deviation in pixels
    "contrast": (0.75, 0.50, 0.40, 0.30, 0.15),  # factor on the distance to the mean of image and channel
    "rotation": (5.0, 10.0, 15.0, 22.5, 30.0),  # degrees, clockwise or counter-clockwise at random
}


def corrupt(split: Split, name: str, severities: list[int], n_images: int, seed: int) -> dict[str, Split]:
    """Return {"NAME-SEVERITY": a class-balanced subset of `split`, corrupted}; ids and labels are kept.

    n_images: how many of `split`. They depend neither on `seed` nor on `name`: all corruptions show the same images.
    seed: of the corruption's own draws.
    """
    if name not in CORRUPTIONS:
        raise UserError(f"'{name}' is not a corruption; choose from {', '.join(CORRUPTIONS)}")
    chosen = balanced_subset(split.labels, n_images, randomness.generator(0, "corrupted-images"))
    clean = Split(split.images[chosen], split.labels[chosen], split.image_ids[chosen])
    corrupted = {}
    for severity in severities:
        draws = randomness.generator(seed, f"corruption-{name}")
        images = CORRUPTIONS[name](clean.images, severity, draws)
        corrupted[f"{name}-{severity}"] = dataclasses.replace(clean, images=images)
    return corrupted


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
    deviation_px = _strength("gaussian-blur", severity)
    return _to_uint8(ndimage.gaussian_filter(images, deviation_px, axes=(2, 3), mode="nearest", output=np.float32))


def contrast(images: np.ndarray, severity: int, generator: np.random.Generator) -> np.ndarray:
    """Pull every pixel towards the mean of its image and channel."""
    mean = images.mean((2, 3), keepdims=True, dtype=np.float32)
    return _to_uint8(mean + _strength("contrast", severity) * (images - mean))


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
    "contrast": contrast,
    "rotation": rotation,
}

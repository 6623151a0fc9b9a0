"""Test images corrupted at five severities, after Hendrycks & Dietterich (ICLR 2019).

Each corruption is a module of `data.corruptions`; docs/corruptions.md has their strengths and a picture. It has

    STRENGTHS                                      five numbers, of severity 1 to 5
    corrupt(images, strength, draws) -> images     uint8 (n, C, H, W), new ones; draws: a generator

A corruption draws image after image, and as many numbers at every severity. So the size of batches changes nothing, and
severities differ in strength alone: the same noise is louder, each image turns further to the same side. Images that
stay in files are decoded batch by batch; corrupted ones are in memory.

Left out: weather, which needs textures of its own, and motion, defocus and zoom blur: the Gaussian one stands for them.
Not torchvision's transforms: its JPEG is about to be removed (Pillow gives equal bytes), its brightness multiplies,
which leaves black as it is, and its elastic transform lets one colour in at the border. So torch is not needed.
"""

import numpy as np

from selfdoubt.data.datasets import Split
from selfdoubt.data.subsets import balanced_subset
from selfdoubt.runtime import methods, randomness
from selfdoubt.runtime.errors import UserError

_BATCH = 64


def corrupt(split: Split, name: str, severities: list[int], n_images: int, seed: int = 0) -> dict[str, Split]:
    """Return {"NAME-SEVERITY": a class-balanced subset of `split`, corrupted}; ids and labels are kept.

    name: of a corruption, as in the config. severities: of 1 to 5. n_images: how many of `split`. They depend neither
    on `seed` nor on `name`: all corruptions show the same images. seed: of the corruption's own draws.
    """
    chosen = balanced_subset(split.labels, n_images, randomness.generator(0, "corrupted-images"))
    draws = {severity: randomness.generator(seed, f"corruption-{name}") for severity in severities}
    images = {severity: np.empty((n_images, *split.images.shape[1:]), np.uint8) for severity in severities}
    for start in range(0, n_images, _BATCH):
        batch = split.images[chosen[start : start + _BATCH]]  # decoded once for all severities
        for severity in severities:
            images[severity][start : start + _BATCH] = apply(name, batch, severity, draws[severity])
    labels, image_ids = split.labels[chosen], split.image_ids[chosen]
    return {f"{name}-{severity}": Split(images[severity], labels, image_ids) for severity in severities}


def apply(name: str, images: np.ndarray, severity: int, draws: np.random.Generator) -> np.ndarray:
    """Return images, uint8 (n, C, H, W), corrupted at a severity; raises UserError if there is no such corruption."""
    corruption = methods.load("data.corruptions", name)
    if severity not in range(1, 6):
        raise UserError(f"severity {severity} of {name} does not exist; choose from 1, 2, 3, 4, 5")
    return corruption.corrupt(images, corruption.STRENGTHS[severity - 1], draws)

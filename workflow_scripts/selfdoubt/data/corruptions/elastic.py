"""Elastic deformation (Simard, Steinkraus & Platt 2003); strengths are set by eye for 28 to 32 px."""

import numpy as np
from scipy import ndimage

from selfdoubt.data.pixels import enlargement, to_uint8

STRENGTHS = (0.40, 0.70, 1.00, 1.40, 1.90)  # standard deviation of displacements, px at up to 32 px, see `enlargement`
_NODES = 6  # along height and along width, where displacements are drawn


def corrupt(images: np.ndarray, strength: float, draws: np.random.Generator) -> np.ndarray:
    """Move every pixel by a smooth random field, bilinearly.

    Displacements are drawn on 6 x 6 nodes spread over the image, cubic splines between (as Ronneberger et al. 2015),
    so that the same draws bend an image of any size alike. Beyond the border the image is mirrored.
    """
    height, width = images.shape[2:]
    deviation_px = strength * enlargement(height, width)
    nodes = deviation_px * draws.standard_normal((len(images), 2, _NODES, _NODES), np.float32)
    here = np.mgrid[:height, :width].astype(np.float32)
    at_nodes = here * ((_NODES - 1) / np.maximum([height - 1, width - 1], 1)).astype(np.float32)[:, None, None]
    moved = np.empty_like(images)
    for image, axes, result in zip(images, nodes, moved, strict=True):
        field = [ndimage.map_coordinates(axis, at_nodes, order=3, mode="nearest") for axis in axes]
        for channel, into in zip(image, result, strict=True):
            pixels = ndimage.map_coordinates(channel, here + field, np.float32, order=1, mode="reflect")
            into[:] = to_uint8(pixels)
    return moved

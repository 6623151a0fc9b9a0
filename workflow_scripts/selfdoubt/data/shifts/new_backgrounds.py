"""The test scenes in front of backgrounds of families that no training scene has, the same objects to the pixel.

Two textures and a patch as in `data.scenes`, of other families. Of the backgrounds drawn for a scene, the first with
enough contrast to the object, as there, is taken, else the one with most, so that objects are no harder to see.
"""

from dataclasses import replace

import numpy as np

from selfdoubt.data import scenes
from selfdoubt.data.datasets import Split
from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError

_N_DRAWN = 8  # backgrounds, of which the first with enough contrast is taken
_PX = scenes.SIZE_PX


def changed(place: str, test: Split) -> Split:
    """Return the test scenes with other backgrounds; labels, ids and masks stay.

    Raises UserError if the images have no masks, or are no scenes of 32 px in RGB.
    """
    if test.masks is None or test.images.shape[1:] != (3, _PX, _PX):
        raise UserError(f"shifted: new-backgrounds needs scenes of {_PX} px RGB with masks; take it from this data set")
    found, best, waiting = test.images.copy(), np.full(len(test.labels), -1.0), np.arange(len(test.labels))
    for i in range(_N_DRAWN):
        names = test.image_ids[waiting]
        draws = [randomness.generator(0, "new-background", int(image_id), i) for image_id in names]
        for start in range(0, len(waiting), 500):
            rows = waiting[start : start + 500]
            behind = scenes.backgrounds(draws[start : start + 500], TEXTURES)
            contrast = _contrast(test.images[rows], behind, test.masks[rows])
            better = contrast > best[rows]
            composed = np.where(test.masks[rows, None], test.images[rows], behind.astype(np.uint8))
            found[rows[better]], best[rows[better]] = composed[better], contrast[better]
        waiting = waiting[best[waiting] < scenes.CONTRAST]
    return replace(test, images=found)


def _contrast(images: np.ndarray, behind: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """Return how far the mean colours of objects are from those of what they hide, RMS over the channels, (n,)."""
    difference = ((images - behind) * masks[:, None]).sum((2, 3)) / masks.sum((1, 2))[:, None]
    return np.sqrt((difference**2).mean(1))


# Each texture takes five numbers in [0, 1) a scene, (5, n, 1, 1), and normal noise (n, 32, 32); it returns
# (n, 32, 32) in [0, 1]. None of them has its like among those of `data.scenes`.


def _turned(turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns of a plane that is turned by so many whole turns, (n, 32, 32) each, in px."""
    rows, columns = np.mgrid[:_PX, :_PX].astype(np.float32)
    cos, sin = np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)
    return cos * rows + sin * columns, cos * columns - sin * rows


def _bricks(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Courses of bricks, 4 to 9 px high, each shifted by half a brick, with joints and bricks of unequal shade."""
    rows, columns = _turned(numbers[0])
    high = 4 + 5 * numbers[1]
    course = np.floor(rows / high + 8 * numbers[2])
    along = columns / (2 * high) + 0.5 * (course % 2) + numbers[3]
    joint = ((rows / high + 8 * numbers[2]) % 1 < 0.2) | (along % 1 < 0.1)
    shade = 0.5 + 0.5 * np.sin(12.9898 * course + 78.233 * np.floor(along))
    return np.where(joint, 0, 0.4 + 0.6 * shade)


def _zigzags(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Bands that go up and down in straight pieces, 4 to 10 px apart."""
    rows, columns = _turned(numbers[0])
    period = 4 + 6 * numbers[1]
    bent = rows + period * (0.5 + numbers[2]) * np.abs((columns / (6 + 8 * numbers[3])) % 1 - 0.5) * 2
    return ((bent / period + numbers[4]) % 1 < 0.5).astype(np.float32)


def _dots(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Discs in rows, every other row shifted by half their distance of 5 to 11 px."""
    rows, columns = _turned(numbers[0])
    apart = 5 + 6 * numbers[1]
    row = np.floor(rows / apart + numbers[2])
    down = (rows / apart + numbers[2]) % 1 - 0.5
    right = (columns / apart + numbers[3] + 0.5 * (row % 2)) % 1 - 0.5
    return (np.hypot(down, right) < 0.2 + 0.15 * numbers[4]).astype(np.float32)


def _cells(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Plane pieces about points, each pixel of the shade of its nearest one."""
    rows, columns = np.mgrid[:_PX, :_PX].astype(np.float32)
    points = noise[:, :2, :12] * 10 + _PX / 2  # twelve of them, (n, 2, 12)
    shades = 0.5 + 0.5 * np.tanh(noise[:, 2, :12])
    down, right = (points[:, i, None, None] - axis[..., None] for i, axis in enumerate((rows, columns)))
    nearest = np.hypot(down, right).argmin(-1)  # (n, 32, 32)
    return np.take_along_axis(shades, nearest.reshape(len(noise), _PX * _PX), 1).reshape(noise.shape)


def _spirals(numbers: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Arms, two to six, that wind about a point."""
    rows, columns = np.mgrid[:_PX, :_PX].astype(np.float32)
    down, right = rows - _PX * numbers[0], columns - _PX * numbers[1]
    arms = 2 + np.floor(5 * numbers[2])
    turns = arms * np.arctan2(down, right) / (2 * np.pi) + np.hypot(down, right) / (6 + 8 * numbers[3])
    return 0.5 + 0.5 * np.tanh(3 * np.sin(2 * np.pi * (turns + numbers[4])))


TEXTURES = {"bricks": _bricks, "zigzags": _zigzags, "dots": _dots, "cells": _cells, "spirals": _spirals}

"""A picture of masks: images one beside another, what the masks cover in red."""

from pathlib import Path

import numpy as np
from PIL import Image

from selfdoubt.runtime.atomic_files import atomic_path

_COLUMNS, _ROWS, _SMALLEST_PX = 8, 5, 64


def write_sheet(path: Path, images: np.ndarray, masks: np.ndarray) -> None:
    """Write the first images (n, C, H, W) uint8, each with its mask, bool (n, H, W), as a .png."""
    n, size = min(len(images), _COLUMNS * _ROWS), images.shape[2:]
    tint = np.array([255, 0, 0]).reshape(3, 1, 1)
    colours = np.broadcast_to(images[:n], (n, 3, *size))
    shown = np.where(masks[:n, None], (colours.astype(np.uint16) + tint) // 2, colours).astype(np.uint8)
    n_rows = -(-n // _COLUMNS)
    sheet = np.full((n_rows * _COLUMNS, 3, size[0] + 1, size[1] + 1), 255, np.uint8)
    sheet[:n, :, :-1, :-1] = shown
    tiles = sheet.reshape(n_rows, _COLUMNS, *sheet.shape[1:]).transpose(0, 3, 1, 4, 2)
    factor = -(-_SMALLEST_PX // min(size))
    pixels = tiles.reshape(n_rows * (size[0] + 1), _COLUMNS * (size[1] + 1), 3).repeat(factor, 0).repeat(factor, 1)
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, "png")

"""The saliency that SaliencyMix goes by, against a loop over pixels."""

import numpy as np
import pytest
import torch

from selfdoubt.mixing.saliency import saliency


def by_loops(image: np.ndarray) -> np.ndarray:
    """(C, H, W) -> (H, W)."""
    grey = image.astype(float).mean(0)
    height, width = grey.shape
    found = np.zeros_like(grey)
    for y, x in np.ndindex(height, width):
        radius = 1
        while 2 * radius < min(height, width):
            window = grey[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
            found[y, x] += abs(grey[y, x] - window.mean())
            radius *= 2
    return found


@pytest.mark.parametrize("size", [(9, 9), (7, 20), (2, 3)])
def test_it_is_what_plain_loops_do(size):
    images = np.random.default_rng(0).integers(0, 256, (3, 3, *size), np.uint8)
    found = saliency(torch.from_numpy(images)).numpy()
    assert found == pytest.approx(np.stack([by_loops(image) for image in images]), abs=1e-2)


def test_a_uniform_image_has_none():
    assert saliency(torch.full((1, 3, 8, 8), 77, dtype=torch.uint8)).abs().max() < 1e-3


def test_dark_and_bright_stand_out_alike():
    image = torch.full((1, 1, 9, 9), 100, dtype=torch.uint8)
    image[0, 0, 2, 3], image[0, 0, 6, 5] = 60, 140
    found = saliency(image)[0]
    assert found[2, 3].item() == pytest.approx(found[6, 5].item()) and found.argmax() in (2 * 9 + 3, 6 * 9 + 5)

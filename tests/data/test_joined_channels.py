"""Pixels whose bytes are moved as one number."""

import pytest
import torch

from selfdoubt.data import joined_channels


@pytest.mark.parametrize("n_channels", range(1, 9))
@pytest.mark.parametrize("n", [0, 1, 5])
def test_pixels_that_are_joined_are_moved_and_split_as_they_were(n_channels, n):
    pixels = torch.randint(0, 256, (n, 4, 3, n_channels), dtype=torch.uint8)
    joined = joined_channels.join(pixels)
    assert joined.shape[-1] == (1 if n and n_channels in (2, 4, 8) else n_channels)
    moved = joined_channels.split(joined.flip(1), pixels.dtype)
    assert moved.equal(pixels.flip(1))
    none = torch.zeros(0, dtype=torch.long)
    assert joined_channels.split(joined[none], pixels.dtype).shape == pixels[none].shape


def test_pixels_that_lie_apart_otherwise_are_left_as_they_are():
    overlapping = torch.randint(0, 256, (9,), dtype=torch.uint8).as_strided((2, 3, 2), (3, 1, 1))
    for pixels in (overlapping, torch.rand(2, 3, 2)):
        joined = joined_channels.join(pixels)
        assert joined.shape == pixels.shape and joined_channels.split(joined, pixels.dtype).equal(pixels)


def test_gradients_go_through():
    pixels = torch.rand(2, 3, 2, requires_grad=True)
    joined_channels.split(joined_channels.join(pixels), pixels.dtype).sum().backward()
    assert pixels.grad.equal(torch.ones_like(pixels))

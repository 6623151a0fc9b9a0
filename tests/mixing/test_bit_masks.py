"""Areas on rows of bits, against loops over pixels."""

import numpy as np
import pytest
import torch

from selfdoubt.mixing import bit_masks, objects


@pytest.mark.parametrize("width", [1, 6, 28, 31, 32, 33, 64, 70])
def test_packed_masks_are_translated_and_counted_as_pixels_are(width):
    generator, height, n, k = torch.Generator().manual_seed(width), 5, 4, 60
    masks = torch.rand(n, height, width, generator=generator) < 0.5
    shifts = torch.stack([torch.randint(-h, h + 1, (n, k), generator=generator) for h in (height, width)], -1)
    found = bit_masks.n_bits(bit_masks.translate(bit_masks.pack(masks), shifts, width)).sum((2, 3))
    for i in range(n):
        for j in range(k):
            dy, dx = shifts[i, j].tolist()
            moved = np.zeros((height, width), bool)
            for y, x in masks[i].nonzero().tolist():
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    moved[y + dy, x + dx] = True
            assert found[i, j] == moved.sum()
            one = objects.translate(masks[i][None, None].to(torch.uint8), shifts[i, j][None])
            np.testing.assert_array_equal(one[0, 0].bool(), moved)


def test_set_bits_are_counted():
    words = torch.tensor([0, 1, 0xFFFFFFFF, 0x80000001, 0x12345678])
    assert bit_masks.n_bits(words).tolist() == [0, 1, 32, 2, 13]

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
    placed = bit_masks.translate(bit_masks.pack(masks), shifts, width)
    found, none = bit_masks.areas(placed, torch.zeros_like(placed))
    assert not none.any() and bit_masks.areas(placed, placed)[1].equal(found)
    for i in range(n):
        for j in range(k):
            dy, dx = shifts[i, j].tolist()
            moved = np.zeros((height, width), bool)
            for y, x in masks[i].nonzero().tolist():
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    moved[y + dy, x + dx] = True
            assert found[i, j] == moved.sum()
            if 2 * abs(dy) <= height and 2 * abs(dx) <= width:
                one = objects.translate(masks[i][None, None].to(torch.uint8), shifts[i, j][None])
                np.testing.assert_array_equal(one[0, 0].bool(), moved)


def test_set_bits_of_two_masks_are_counted_at_once():
    first, second = torch.tensor([0, 1, 0xFFFFFFFF, 0x80000001, 0x12345678]), torch.tensor([0xFFFFFFFF, 0, 3, 1, 0])
    areas = bit_masks.areas(first.view(-1, 1, 1), second.view(-1, 1, 1))
    assert [found.tolist() for found in areas] == [[0, 1, 32, 2, 13], [32, 0, 2, 1, 0]]
    high = torch.full((2, 100, 3), 0xFFFFFFFF)  # a sum of many words does not reach the other half
    assert [found.tolist() for found in bit_masks.areas(high, high)] == [[9600, 9600]] * 2

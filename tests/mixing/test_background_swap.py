"""Backgrounds that are swapped: by hand on a few pixels, and what of the source may be seen."""

import pytest
import torch
from helpers import assert_close
from small_mixing import mixing_of, random_images, settings_of, with_mask

from selfdoubt.mixing import painting
from selfdoubt.mixing.draws import draw_mixing
from selfdoubt.mixing.methods import background_swap


def swap(target, source, drawn=None, **values):
    return background_swap.mix(target, source, drawn or mixing_of(), settings_of("background-swap", **values))


def one_row(pixels, mask) -> torch.Tensor:
    return torch.tensor([[[pixels], [mask]]], dtype=torch.uint8)


TARGET = torch.cat([torch.full((1, 1, 4, 4), 9), torch.zeros(1, 1, 4, 4)], 1).to(torch.uint8)
TARGET[0, 1, 0, 0] = 1  # its object is the first pixel
SOURCE = torch.cat([torch.arange(16).view(1, 1, 4, 4) + 100, torch.zeros(1, 1, 4, 4)], 1).to(torch.uint8)
SOURCE[0, 0, 2:, 2:], SOURCE[0, 1, 2:, 2:] = 255, 1  # its object is the last block of 2 x 2


def test_a_swap_by_hand():
    mixed, weight = swap(TARGET, SOURCE)
    expected = SOURCE[0, 0].clone()
    expected[0, 0] = 9
    outside = SOURCE[0, 1] == 0
    assert torch.equal(mixed[0, 0][outside], expected[outside]) and weight.tolist() == [1]
    # Blocks of 2 x 2 px have the means 102.5 (100, 101, 104, 105), 104.5 and 110.5; that of the object is unknown, and
    # takes that of all: 317.5 / 3 = 105.83. Enlarged, a pixel is 3/4 and 1/4 of the nearest blocks in each direction.
    mean = (102.5 + 104.5 + 110.5) / 3
    first = 102.5 / 16 + 3 * (104.5 + 110.5) / 16 + 9 * mean / 16
    last = mean
    assert mixed[0, 0, 2, 2] == round(first) and mixed[0, 0, 3, 3] == round(last)


def test_edges_and_wider_masks_by_hand():
    target, source = one_row([9, 9, 9, 9, 9, 9], [1, 0, 0, 0, 0, 0]), one_row([0, 0, 0, 0, 0, 200], [0, 0, 0, 0, 0, 1])
    assert swap(target, source)[0][0, 0, 0].tolist() == [9, 0, 0, 0, 0, 0]
    assert swap(target, source, dilate_px=1)[0][0, 0, 0].tolist() == [9, 9, 0, 0, 0, 0]
    # 2/3 and 1/3 of the target where the edge is softened over two pixels.
    assert swap(target, source, feather_px=2)[0][0, 0, 0].tolist() == [9, 6, 3, 0, 0, 0]


@pytest.mark.parametrize("background", ["painted", "noise"])
@pytest.mark.parametrize("dilate_px", [0, 1])
def test_no_object_pixel_of_the_source_is_seen_and_all_of_the_targets_are(background, dilate_px):
    masks = torch.rand(2, 16, 1, 6, 6, generator=torch.Generator().manual_seed(1)) < 0.2
    target, plain = with_mask(random_images(0), masks[0]), random_images(1)
    changed = torch.where(masks[1], 255 - plain, plain)
    drawn = draw_mixing(1, 0, (16, 6, 6), settings_of("background-swap"))
    values = {"background": background, "dilate_px": dilate_px}
    one, other = (swap(target, with_mask(images, masks[1]), drawn, **values)[0] for images in (plain, changed))
    assert torch.equal(one, other)
    inside = masks[0].expand_as(one)
    assert torch.equal(one[inside], target[:, :3][inside])
    assert (one != target[:, :3]).any((1, 2, 3)).float().mean() > 0.5  # where the wider masks leave a background


def test_background_pixels_stay_and_painted_ones_are_between_them():
    images = random_images(0).float()
    masks = torch.rand(16, 1, 6, 6, generator=torch.Generator().manual_seed(1)) < 0.5
    painted = painting.paint_over(images, masks)
    assert torch.equal(painted.where(~masks, torch.zeros(())), images.where(~masks, torch.zeros(())))
    known = torch.where(masks, torch.nan, images).flatten(2)
    assert (painted.amin((2, 3)) >= known.nan_to_num(255).amin(2) - 1e-3).all()
    assert (painted.amax((2, 3)) <= known.nan_to_num(0).amax(2) + 1e-3).all()


def test_one_colour_is_painted_in_that_colour():
    painted = painting.paint_over(torch.full((1, 3, 5, 7), 40.0), torch.eye(7)[None, None, :5] > 0)
    assert_close(painted, torch.full((1, 3, 5, 7), 40.0))


@pytest.mark.parametrize(("of_target", "of_source"), [(0, 0.5), (0.5, 0), (0.5, 1)])
def test_images_whose_masks_say_nothing_are_left_as_they_are(of_target, of_source):
    halves = {0: torch.zeros(6, 6), 1: torch.ones(6, 6), 0.5: torch.triu(torch.ones(6, 6))}
    target, source = with_mask(random_images(0), halves[of_target]), with_mask(random_images(1), halves[of_source])
    mixed, weight = swap(target, source, draw_mixing(1, 0, (16, 6, 6), settings_of("background-swap")))
    assert torch.equal(mixed, target[:, :3]) and weight.tolist() == [1] * 16


@pytest.mark.parametrize("radius_px", range(9))
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (12, 4)])
def test_masks_are_dilated_as_by_pooling(radius_px, size):
    masks = torch.rand(8, 1, *size, generator=torch.Generator().manual_seed(radius_px)) < 0.1
    whole = torch.nn.functional.pad(masks.float(), [radius_px] * 4)
    expected = torch.nn.functional.max_pool2d(whole, 2 * radius_px + 1, 1)
    assert torch.equal(painting.dilate(masks, radius_px), expected > 0)

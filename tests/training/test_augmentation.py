"""Views, checked on images of a few pixels."""

import numpy as np
import pytest
import torch

from selfdoubt.training.augmentation import Views, draw_order, draw_views, pad, view

torch.set_num_threads(1)
ALL = torch.arange(16)


def random_images(seed: int, n: int = 16, channels: int = 3, size_px: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(1, 256, (n, channels, size_px, size_px), np.uint8))


@pytest.mark.parametrize(
    ("top", "left", "flipped", "expected"),
    [
        (1, 1, False, [[1, 2], [3, 4]]),  # the image itself, in the middle of its padding
        (0, 1, False, [[0, 0], [1, 2]]),  # one down
        (1, 2, False, [[2, 0], [4, 0]]),  # one to the left
        (1, 1, True, [[2, 1], [4, 3]]),
        (2, 0, True, [[3, 0], [0, 0]]),  # one up and one to the right, then flipped
    ],
)
def test_views_by_hand(top, left, flipped, expected):
    windows = pad(torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8), 1)
    views = Views(torch.tensor([top]), torch.tensor([left]), torch.tensor([flipped]))
    seen = view(windows, views.at(torch.tensor([0])))
    assert seen.dtype == torch.uint8 and seen.tolist() == [[expected]]


def test_without_shift_and_flip_a_view_is_the_image():
    images = random_images(0)
    views, order = draw_views(1, 0, 16, shift_px=0, flip=False), draw_order(1, 0, 16)
    assert torch.equal(view(pad(images, 0), views.at(order)), images[order])


def test_a_view_is_a_translation_and_a_flip_of_its_own_image():
    images, views = random_images(0), draw_views(1, 0, 16, shift_px=2, flip=True)
    padded = np.pad(images.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)])
    seen = view(pad(images, 2), views.at(ALL)).numpy()
    for i, (top, left, flipped) in enumerate(zip(*map(torch.Tensor.tolist, vars(views).values()), strict=True)):
        crop = padded[i, :, top : top + 6, left : left + 6]
        np.testing.assert_array_equal(seen[i], crop[:, :, ::-1] if flipped else crop)


def test_seeing_changes_no_image():
    images = random_images(0)
    windows = pad(images, 0)
    view(windows, draw_views(1, 0, 16, shift_px=0, flip=True).at(ALL))
    assert torch.equal(windows[:, 0, 0].permute(0, 3, 1, 2), images)


def test_every_shift_and_flip_and_order_occurs():
    views, order = draw_views(1, 0, 400, shift_px=1, flip=True), draw_order(1, 0, 400).tolist()
    assert sorted(order) == list(range(400)) != order
    kinds = set(zip(*map(torch.Tensor.tolist, vars(views).values()), strict=True))
    assert kinds == {(row, column, flip) for row in range(3) for column in range(3) for flip in (False, True)}


def test_half_of_the_views_are_flipped():
    flipped = draw_views(1, 0, 9000, shift_px=1, flip=True).flipped.double().mean()
    # Four standard deviations of the mean of 9,000 draws: 4 sqrt(0.5 * 0.5 / 9000).
    assert flipped.item() == pytest.approx(0.5, abs=0.021)


def test_no_shift_is_rarer_than_another():
    views = draw_views(1, 0, 9000, shift_px=1, flip=True)
    for shifts in (views.top, views.left):
        # Four standard deviations of a share of 9,000 draws: 4 sqrt(1/3 * 2/3 / 9000).
        assert (shifts.bincount() / 9000).tolist() == pytest.approx([1 / 3] * 3, abs=0.02)


def test_views_are_those_of_their_seed_and_epoch():
    def drawn(seed, epoch):
        views = draw_views(seed, epoch, 400, shift_px=1, flip=True)
        return [draw_order(seed, epoch, 400).tolist(), *map(torch.Tensor.tolist, vars(views).values())]

    assert drawn(1, 2) == drawn(1, 2)
    for other in (drawn(2, 2), drawn(1, 3)):
        assert all(a != b for a, b in zip(drawn(1, 2), other, strict=True))


def test_shift_and_flip_do_not_disturb_one_another():
    small, large, straight = (draw_views(1, 0, 400, px, flip) for px, flip in ((1, True), (2, True), (1, False)))
    assert torch.equal(small.top, straight.top) and torch.equal(small.left, straight.left)
    assert torch.equal(small.flipped, large.flipped) and not straight.flipped.any()


def test_a_mask_sees_the_view_of_its_image():
    images = random_images(0, channels=1)
    images[:, :, :3] = 0
    views = draw_views(1, 0, 16, shift_px=2, flip=True)
    seen = view(pad(torch.cat([images, (images > 0).to(torch.uint8)], 1), 2), views.at(ALL))
    assert torch.equal(seen[:, 1] > 0, seen[:, 0] > 0)

"""Views and mixed images, checked on images of a few pixels and against plain loops."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from selfdoubt import augmentation, commands
from selfdoubt.augmentation import Mixing, Views, cutmix, draw_mixing, draw_order, draw_views, mask_cutmix, pad, see
from selfdoubt.settings import load_study

torch.set_num_threads(1)
SHAPE = (400, 6, 6)
ALL = torch.arange(16)


def settings_of(**values) -> SimpleNamespace:
    return SimpleNamespace(**{"probability": 0.5, "beta": 1.0, "n_placements": 4, **values})


def random_images(seed: int, n: int = 16, channels: int = 3, size_px: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(1, 256, (n, channels, size_px, size_px), np.uint8))


def mixing_of(box=None, placements=None) -> Mixing:
    """A mixing of one image."""
    empty = torch.zeros(1, 4, dtype=torch.int64)
    return Mixing(
        empty[:, 0] == 0, empty[:, 0], empty if box is None else torch.tensor([box]), torch.tensor(placements)
    )


# ---- views ----


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
    seen = see(windows, torch.tensor([0]), views)
    assert seen.dtype == torch.uint8 and seen.tolist() == [[expected]]


def test_without_shift_and_flip_a_view_is_the_image():
    images = random_images(0)
    views, order = draw_views(1, 0, 16, shift_px=0, flip=False), draw_order(1, 0, 16)
    assert torch.equal(see(pad(images, 0), order, views), images[order])


def test_a_view_is_a_translation_and_a_flip_of_its_own_image():
    images, views = random_images(0), draw_views(1, 0, 16, shift_px=2, flip=True)
    padded = np.pad(images.numpy(), [(0, 0), (0, 0), (2, 2), (2, 2)])
    seen = see(pad(images, 2), ALL, views).numpy()
    for i, (top, left, flipped) in enumerate(zip(*map(torch.Tensor.tolist, vars(views).values()), strict=True)):
        crop = padded[i, :, top : top + 6, left : left + 6]
        np.testing.assert_array_equal(seen[i], crop[:, :, ::-1] if flipped else crop)


def test_seeing_changes_no_image():
    images = random_images(0)
    windows = pad(images, 0)
    see(windows, ALL, draw_views(1, 0, 16, shift_px=0, flip=True))
    assert torch.equal(windows[:, 0, 0].permute(0, 3, 1, 2), images)


def test_every_shift_and_flip_and_order_occurs():
    views, order = draw_views(1, 0, 400, shift_px=1, flip=True), draw_order(1, 0, 400).tolist()
    assert sorted(order) == list(range(400)) != order
    kinds = set(zip(*map(torch.Tensor.tolist, vars(views).values()), strict=True))
    assert kinds == {(row, column, flip) for row in range(3) for column in range(3) for flip in (False, True)}


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
    seen = see(pad(torch.cat([images, (images > 0).to(torch.uint8)], 1), 2), ALL, views)
    assert torch.equal(seen[:, 1] > 0, seen[:, 0] > 0)


# ---- drawing what is mixed ----


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_the_probability_is_the_share_of_mixed_images(probability):
    mixed = draw_mixing(1, 0, SHAPE, settings_of(probability=probability)).mixed.double().mean()
    # Four standard deviations of the mean of 400 draws: 4 sqrt(0.25 * 0.75 / 400).
    assert mixed.item() == pytest.approx(probability, abs=0.09 if probability == 0.25 else 0)


def test_boxes_and_partners_are_within_the_images():
    mixing = draw_mixing(1, 0, (400, 6, 10), settings_of())
    top, bottom, left, right = mixing.box.T
    assert ((top >= 0) & (top <= bottom) & (bottom <= 6)).all() and (
        (left >= 0) & (left <= right) & (right <= 10)
    ).all()
    # A side is shorter than the image, so it reaches at most 5 // 2 = 2 rows and 9 // 2 = 4 columns either way.
    assert (bottom - top).unique().tolist() == list(range(5)) and (right - left).unique().tolist() == list(range(9))
    assert mixing.partner.min() >= 0 and mixing.partner.max() < 400 and len(mixing.partner.unique()) > 200


def test_the_side_of_a_box_by_hand():
    # A large beta makes lambda 1/2: a side of sqrt(1/2) 28 = 19 px, so 9 px either way of the centre, or to the edge.
    mixing = draw_mixing(1, 0, (400, 28, 28), settings_of(beta=1e9))
    sides = torch.stack([mixing.box[:, 1] - mixing.box[:, 0], mixing.box[:, 3] - mixing.box[:, 2]])
    assert sides.max() == 18 and sides.min() == 9


def test_placements_reach_half_an_image():
    placements = draw_mixing(1, 0, (400, 6, 10), settings_of(n_placements=5)).placements
    assert placements.shape == (400, 5, 2)
    assert placements[..., 0].unique().tolist() == list(range(-3, 4))
    assert placements[..., 1].unique().tolist() == list(range(-5, 6))


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        ({"n_placements": 9}, {"placements"}),
        ({"beta": 0.2}, {"box"}),
        ({"probability": 0.9}, {"mixed"}),
    ],
)
def test_what_is_drawn_does_not_disturb_the_rest(change, changed):
    one, other = draw_mixing(1, 0, SHAPE, settings_of()), draw_mixing(1, 0, SHAPE, settings_of(**change))
    names = [field.name for field in dataclasses.fields(Mixing)]
    assert {name for name in names if not torch.equal(getattr(one, name), getattr(other, name))} == changed


def test_mixing_is_that_of_its_seed_and_epoch():
    names = [field.name for field in dataclasses.fields(Mixing)]
    one, again, epoch, seed = (draw_mixing(s, e, SHAPE, settings_of()) for s, e in ((1, 2), (1, 2), (1, 3), (2, 2)))
    assert all(torch.equal(getattr(one, name), getattr(again, name)) for name in names)
    for other in (epoch, seed):
        assert not any(torch.equal(getattr(one, name), getattr(other, name)) for name in names)


@pytest.mark.parametrize("model", ["cutmix", "mask-cutmix"])
def test_mixing_takes_the_settings_that_a_script_is_given(model, config):
    text = json.dumps(load_study(config).model_settings(model)["mixing"])
    mixing = draw_mixing(1, 0, SHAPE, commands.parse_settings(text))
    assert len(mixing.box) == len(mixing.placements) == 400


# ---- cutmix ----


def test_cutmix_by_hand():
    # Rows 1 and 2, columns 0 and 1 of 4 x 4 pixels are pasted: 12 of 16 remain.
    target, source = torch.zeros(1, 1, 4, 4, dtype=torch.uint8), torch.ones(1, 1, 4, 4, dtype=torch.uint8)
    mixed, weight = cutmix(target, source, mixing_of([1, 3, 0, 2], [[[0, 0]]]), torch.tensor([0]))
    assert mixed[0, 0].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert weight.tolist() == [12 / 16]


@pytest.mark.parametrize(("box", "share"), [([2, 2, 0, 3], 1.0), ([0, 4, 0, 4], 0.0)])
def test_an_empty_and_a_full_box(box, share):
    target, source = random_images(0, 1, 3, 4), random_images(1, 1, 3, 4)
    mixed, weight = cutmix(target, source, mixing_of(box, [[[0, 0]]]), torch.tensor([0]))
    assert torch.equal(mixed, target if share else source) and weight.tolist() == [share]


def test_the_weight_of_cutmix_is_the_share_of_target_pixels_left():
    shape = (16, 3, 6, 8)
    target, source = torch.zeros(shape, dtype=torch.uint8), torch.ones(shape, dtype=torch.uint8)
    mixing = draw_mixing(1, 0, (16, 6, 8), settings_of())
    index = torch.randperm(16, generator=torch.Generator().manual_seed(0))
    mixed, weight = cutmix(target, source, mixing, index)
    torch.testing.assert_close(weight, (mixed == 0).float().mean((1, 2, 3)))
    assert len(weight.unique()) > 5
    again, _ = cutmix(target, source, mixing, index.flip(0))  # an image's box is its own, wherever in the batch
    assert torch.equal(again.flip(0), mixed)


# ---- mask-cutmix ----

TARGET = torch.tensor([[[[1, 2, 3, 4]], [[1, 1, 0, 0]]]], dtype=torch.uint8)  # its object is the left half
SOURCE = torch.tensor([[[[5, 6, 7, 8]], [[0, 0, 0, 1]]]], dtype=torch.uint8)  # its object is the last pixel


def mix_masks(target, source, *placements) -> tuple[list, float]:
    """The pixels and the weight of one image of one row, for columns to move by."""
    mixing = mixing_of(placements=[[[0, columns] for columns in placements]])
    mixed, weight = mask_cutmix(target, source, mixing, torch.tensor([0]))
    return mixed[0, 0, 0].tolist(), weight.item()


def test_mask_cutmix_by_hand():
    # F_a = 2, F_b = 1. In place, nothing is hidden: 2 / (2 + 1).
    assert mix_masks(TARGET, SOURCE, 0) == ([1, 2, 3, 8], pytest.approx(2 / 3))
    # Three to the left, one of the target's two object pixels is hidden: 1 / (1 + 1).
    assert mix_masks(TARGET, SOURCE, -3) == ([8, 2, 3, 4], pytest.approx(1 / 2))
    # One to the right, the object is out of the image: nothing is pasted.
    assert mix_masks(TARGET, SOURCE, 1) == ([1, 2, 3, 4], 1)


def test_the_placement_that_loses_least_is_taken():
    # Losses: one to the right 0 + 1 (all of the source), three to the left 1/2 + 0, one to the left 0.
    assert mix_masks(TARGET, SOURCE, 1, -3, -1) == ([1, 2, 8, 4], pytest.approx(2 / 3))
    assert mix_masks(TARGET, SOURCE, 1, -3) == ([8, 2, 3, 4], pytest.approx(1 / 2))
    # Both lose nothing: the first one is taken.
    assert mix_masks(TARGET, SOURCE, -1, 0)[0] == [1, 2, 8, 4]


def with_mask(images: torch.Tensor, mask) -> torch.Tensor:
    masks = torch.as_tensor(mask).expand(len(images), 1, *images.shape[2:])
    return torch.cat([images, masks.to(torch.uint8)], 1)


def test_a_mask_of_ones_in_place_is_the_pasted_image():
    # All of the target's 6 object pixels are hidden, all 36 of the source's are visible: 0 / (0 + 36).
    target, source = with_mask(random_images(0, 1), torch.eye(6)), with_mask(random_images(1, 1), 1)
    mixed, weight = mask_cutmix(target, source, mixing_of(placements=[[[0, 0]]]), torch.tensor([0]))
    assert torch.equal(mixed, source[:, :3]) and weight.tolist() == [0.0]


@pytest.mark.parametrize("mask", [0, 1])
def test_an_empty_mask_changes_nothing_and_the_label_stays(mask):
    target, source = with_mask(random_images(0), mask), with_mask(random_images(1), 0)
    mixed, weight = mask_cutmix(target, source, draw_mixing(1, 0, (16, 6, 6), settings_of()), ALL)
    assert torch.equal(mixed, target[:, :3]) and weight.tolist() == [1.0] * 16


def test_the_label_stays_where_every_placement_is_out_of_the_image():
    empty = torch.zeros_like(TARGET[:, 1:])
    assert mix_masks(torch.cat([TARGET[:, :1], empty], 1), SOURCE, 1, 2) == ([1, 2, 3, 4], 1)


def test_a_target_without_an_object_loses_its_label_to_a_visible_one():
    empty = torch.zeros_like(TARGET[:, 1:])
    assert mix_masks(torch.cat([TARGET[:, :1], empty], 1), SOURCE, -1) == ([1, 2, 8, 4], 0)


def translated(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """(C, H, W) moved by a loop over its pixels, zeros moving in."""
    moved = np.zeros_like(image)
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            if 0 <= row - down < image.shape[1] and 0 <= column - right < image.shape[2]:
                moved[:, row, column] = image[:, row - down, column - right]
    return moved


def test_mask_cutmix_is_what_plain_loops_do():
    draws = np.random.default_rng(0)
    masks = torch.from_numpy(draws.random((2, 16, 1, 6, 6)) < 0.3)
    target, source = with_mask(random_images(0), masks[0]), with_mask(random_images(1), masks[1])
    mixing = draw_mixing(1, 0, (16, 6, 6), settings_of(n_placements=5))
    mixed, weight = mask_cutmix(target, source, mixing, ALL)
    for i, (a, b) in enumerate(zip(target.numpy(), source.numpy(), strict=True)):
        candidates = [translated(b, *place) for place in mixing.placements[i].tolist()]
        hidden = [((c[-1] > 0) & (a[-1] > 0)).sum() for c in candidates]
        losses = [h / a[-1].sum() + 1 - c[-1].sum() / b[-1].sum() for h, c in zip(hidden, candidates, strict=True)]
        best = int(np.argmin(losses))
        moved, visible = candidates[best], a[-1].sum() - hidden[best]
        np.testing.assert_array_equal(mixed[i], np.where(moved[-1] > 0, moved[:-1], a[:-1]))
        assert weight[i].item() == pytest.approx(visible / (visible + moved[-1].sum()))


def test_batches_may_be_empty():
    none = torch.zeros(0, dtype=torch.int64)
    mixing = draw_mixing(1, 0, (16, 6, 6), settings_of())
    for mixer in augmentation.MIXERS.values():
        mixed, weight = mixer(random_images(0)[none], random_images(1)[none], mixing, none)
        assert len(mixed) == len(weight) == 0


# ---- areas on rows of bits ----


@pytest.mark.parametrize("width", [1, 6, 28, 31, 32, 33, 64, 70])
def test_packed_masks_are_translated_and_counted_as_pixels_are(width):
    generator, height, n, k = torch.Generator().manual_seed(width), 5, 4, 60
    masks = torch.rand(n, height, width, generator=generator) < 0.5
    shifts = torch.stack([torch.randint(-h, h + 1, (n, k), generator=generator) for h in (height, width)], -1)
    found = augmentation._n_bits(augmentation._translate_packed(augmentation._pack(masks), shifts, width)).sum((2, 3))
    for i in range(n):
        for j in range(k):
            dy, dx = shifts[i, j].tolist()
            moved = np.zeros((height, width), bool)
            for y, x in masks[i].nonzero().tolist():
                if 0 <= y + dy < height and 0 <= x + dx < width:
                    moved[y + dy, x + dx] = True
            assert found[i, j] == moved.sum()
            one = augmentation._translate(masks[i][None, None].to(torch.uint8), shifts[i, j][None])
            np.testing.assert_array_equal(one[0, 0].bool(), moved)


def test_set_bits_are_counted():
    words = torch.tensor([0, 1, 0xFFFFFFFF, 0x80000001, 0x12345678])
    assert augmentation._n_bits(words).tolist() == [0, 1, 32, 2, 13]

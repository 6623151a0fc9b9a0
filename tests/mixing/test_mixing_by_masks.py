"""Mixing by masks: by hand on a few pixels, and against plain loops."""

import numpy as np
import pytest
import torch
from small_mixing import mixing_of, random_images, settings_of, with_mask

from selfdoubt.mixing.draws import draw_mixing
from selfdoubt.mixing.methods import copy_paste, cutmix, cutmix_matched, mask_cutmix, mask_cutmix_scaled, oa_cutmix
from selfdoubt.mixing.rescaling import rescale

torch.set_num_threads(1)
ABSOLUTE, RELATIVE = "object-area", "relative-object-area"
TARGET = torch.tensor([[[[1, 2, 3, 4]], [[1, 1, 0, 0]]]], dtype=torch.uint8)  # its object is the left half
SOURCE = torch.tensor([[[[5, 6, 7, 8]], [[0, 0, 0, 1]]]], dtype=torch.uint8)  # its object is the last pixel
NO_OBJECT = torch.tensor([[[[1, 2, 3, 4]], [[0, 0, 0, 0]]]], dtype=torch.uint8)


def random_pairs(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    masks = torch.from_numpy(np.random.default_rng(seed).random((2, 16, 1, 6, 6)) < 0.3)
    return with_mask(random_images(0), masks[0]), with_mask(random_images(1), masks[1])


def weight_by_loops(target_mask, source_mask, inside, labels: str) -> float:
    """The weight of the target's label where `inside` (H, W) shows the source, by counting pixels one by one."""
    seen, whole = [0, 0], [0, 0]
    for y, x in np.ndindex(inside.shape):
        whole[0] += target_mask[y, x]
        whole[1] += source_mask[y, x]
        seen[0] += target_mask[y, x] and not inside[y, x]
        seen[1] += source_mask[y, x] and inside[y, x]
    if labels == RELATIVE:
        seen = [part / all_ if all_ else 0 for part, all_ in zip(seen, whole, strict=True)]
    if sum(seen) == 0:
        return 0.5 if inside.any() else 1.0
    return seen[0] / sum(seen)


# ---- oa-cutmix ----


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # Of 4 object pixels one is hidden, of 8 four are pasted: 3 / (3 + 4), and 3/4 / (3/4 + 4/8).
        (ABSOLUTE, 3 / 7),
        (RELATIVE, 3 / 5),
    ],
)
def test_oa_cutmix_by_hand(labels, expected):
    masks = torch.zeros(2, 1, 1, 4, 4)
    masks[0, ..., :2, :2] = 1
    masks[1, ..., 1:3, :] = 1
    target, source = (with_mask(random_images(i, 1, 3, 4), masks[i]) for i in (0, 1))
    # lambda = 3/4 makes a box of 2 x 2 px, here of rows and columns 1 and 2.
    drawn = mixing_of(3 / 4, (2, 2))
    mixed, weight = oa_cutmix.mix(target, source, drawn, settings_of("oa-cutmix", labels=labels))
    assert weight.item() == pytest.approx(expected)
    assert torch.equal(mixed, cutmix.mix(target[:, :3], source[:, :3], drawn, None)[0])


@pytest.mark.parametrize("labels", [ABSOLUTE, RELATIVE])
def test_oa_cutmix_is_what_plain_loops_do(labels):
    target, source = random_pairs()
    drawn = draw_mixing(1, 0, (16, 6, 6), settings_of("oa-cutmix"))
    ones, zeros = torch.ones(16, 1, 6, 6), torch.zeros(16, 1, 6, 6)
    inside = cutmix.mix(zeros, ones, drawn, None)[0][:, 0] > 0
    _, weight = oa_cutmix.mix(target, source, drawn, settings_of("oa-cutmix", labels=labels))
    for i in range(16):
        masks = (images[i, -1].numpy() > 0 for images in (target, source))
        assert weight[i].item() == pytest.approx(weight_by_loops(*masks, inside[i].numpy(), labels))


@pytest.mark.parametrize("labels", [ABSOLUTE, RELATIVE])
@pytest.mark.parametrize(
    ("kept", "target_object", "source_object", "expected"),
    [
        (1.0, False, True, 1.0),  # nothing is pasted: the image is the target's alone
        (0.0, True, False, 0.5),  # all is pasted, and neither object is seen
        (0.0, True, True, 0.0),
        (0.75, False, False, 0.5),  # a part is pasted, and there is no object
        (0.75, True, False, 1.0),  # no label for a background
        (0.75, False, True, 0.0),
    ],
)
def test_an_object_that_is_not_visible_has_no_weight(labels, kept, target_object, source_object, expected):
    target, source = with_mask(random_images(0, 1), target_object), with_mask(random_images(1, 1), source_object)
    _, weight = oa_cutmix.mix(target, source, mixing_of(kept, (3, 3)), settings_of("oa-cutmix", labels=labels))
    assert weight.tolist() == [expected]


# ---- mask-cutmix ----


def mix_masks(target, source, *placements, labels: str = ABSOLUTE) -> tuple[list, float]:
    """The pixels and the weight of one image of one row, for columns to move by."""
    drawn = mixing_of(placements=[[0, columns] for columns in placements])
    mixed, weight = mask_cutmix.mix(target, source, drawn, settings_of("mask-cutmix", labels=labels))
    return mixed[0, 0, 0].tolist(), weight.item()


def test_mask_cutmix_by_hand():
    # F_a = 2, F_b = 1. In place, nothing is hidden: 2 / (2 + 1).
    assert mix_masks(TARGET, SOURCE, 0) == ([1, 2, 3, 8], pytest.approx(2 / 3))
    # Two to the left, one of the target's two object pixels is hidden: 1 / (1 + 1).
    assert mix_masks(TARGET, SOURCE, -2) == ([1, 8, 3, 4], pytest.approx(1 / 2))
    # One to the right, the object is out of the image: nothing is pasted.
    assert mix_masks(TARGET, SOURCE, 1) == ([1, 2, 3, 4], 1)


@pytest.mark.parametrize(
    ("labels", "in_place", "hiding"),
    [
        (RELATIVE, 1 / 2, 1 / 3),  # 2/2 and 1/1 are seen, then 1/2 and 1/1
        ("pixel-area", 3 / 4, 3 / 4),  # one of four pixels is pasted, whatever it hides
    ],
)
def test_other_labels_of_mask_cutmix_by_hand(labels, in_place, hiding):
    assert mix_masks(TARGET, SOURCE, 0, labels=labels) == ([1, 2, 3, 8], pytest.approx(in_place))
    assert mix_masks(TARGET, SOURCE, -2, labels=labels) == ([1, 8, 3, 4], pytest.approx(hiding))
    assert mix_masks(TARGET, SOURCE, 1, labels=labels) == ([1, 2, 3, 4], 1)


def test_the_placement_that_loses_least_is_taken():
    # Losses: one to the right 0 + 1 (all of the source), two to the left 1/2 + 0, one to the left 0.
    assert mix_masks(TARGET, SOURCE, 1, -2, -1) == ([1, 2, 8, 4], pytest.approx(2 / 3))
    assert mix_masks(TARGET, SOURCE, 1, -2) == ([1, 8, 3, 4], pytest.approx(1 / 2))
    # Both lose nothing: the first one is taken.
    assert mix_masks(TARGET, SOURCE, -1, 0)[0] == [1, 2, 8, 4]


def test_a_mask_of_ones_in_place_is_the_pasted_image():
    # All of the target's 6 object pixels are hidden, all 36 of the source's are visible: 0 / (0 + 36).
    target, source = with_mask(random_images(0, 1), torch.eye(6)), with_mask(random_images(1, 1), 1)
    mixed, weight = mask_cutmix.mix(target, source, mixing_of(), settings_of("mask-cutmix"))
    assert torch.equal(mixed, source[:, :3]) and weight.tolist() == [0.0]


@pytest.mark.parametrize("labels", [ABSOLUTE, RELATIVE, "pixel-area"])
@pytest.mark.parametrize("mask", [0, 1])
def test_an_empty_mask_changes_nothing_and_the_label_stays(mask, labels):
    target, source, settings = with_mask(random_images(0), mask), with_mask(random_images(1), 0), settings_of(
        "mask-cutmix", labels=labels
    )  # fmt: skip
    mixed, weight = mask_cutmix.mix(target, source, draw_mixing(1, 0, (16, 6, 6), settings), settings)
    assert torch.equal(mixed, target[:, :3]) and weight.tolist() == [1.0] * 16


def test_the_label_stays_where_every_placement_is_out_of_the_image():
    assert mix_masks(NO_OBJECT, SOURCE, 1, 2) == ([1, 2, 3, 4], 1)


def test_a_target_without_an_object_loses_its_label_to_a_visible_one():
    assert mix_masks(NO_OBJECT, SOURCE, -1) == ([1, 2, 8, 4], 0)


def translated(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """(C, H, W) moved by a loop over its pixels, zeros moving in."""
    moved = np.zeros_like(image)
    for row in range(image.shape[1]):
        for column in range(image.shape[2]):
            if 0 <= row - down < image.shape[1] and 0 <= column - right < image.shape[2]:
                moved[:, row, column] = image[:, row - down, column - right]
    return moved


def test_mask_cutmix_is_what_plain_loops_do():
    target, source = random_pairs()
    drawn = draw_mixing(1, 0, (16, 6, 6), settings_of("mask-cutmix", n_placements=5))
    found = {
        labels: mask_cutmix.mix(target, source, drawn, settings_of("mask-cutmix", labels=labels))
        for labels in (ABSOLUTE, RELATIVE, "pixel-area")
    }
    for i, (a, b) in enumerate(zip(target.numpy(), source.numpy(), strict=True)):
        candidates = [translated(b, *place) for place in drawn.placements[i].tolist()]
        hidden = [((c[-1] > 0) & (a[-1] > 0)).sum() for c in candidates]
        losses = [h / a[-1].sum() + 1 - c[-1].sum() / b[-1].sum() for h, c in zip(hidden, candidates, strict=True)]
        best = int(np.argmin(losses))
        moved, visible = candidates[best], a[-1].sum() - hidden[best]
        shown = visible / a[-1].sum(), moved[-1].sum() / b[-1].sum()
        weights = {ABSOLUTE: visible / (visible + moved[-1].sum()), RELATIVE: shown[0] / sum(shown)}
        weights["pixel-area"] = 1 - moved[-1].sum() / 36
        for labels, weight in weights.items():
            mixed, weights_found = found[labels]
            np.testing.assert_array_equal(mixed[i], np.where(moved[-1] > 0, moved[:-1], a[:-1]))
            assert weights_found[i].item() == pytest.approx(weight)


# ---- labels that are spread where objects are hidden ----


def test_visible_fractions_by_hand():
    # In place both objects are whole: of 2 + 1 pixels the target has 2, and the label is of the two alone.
    assert weights(TARGET, SOURCE, 0) == [[pytest.approx(2 / 3), 1]]
    # Two to the left, a half of the target's is hidden: weights 1/2, of which 1/2 and all are seen.
    assert weights(TARGET, SOURCE, -2) == [[pytest.approx(1 / 2), pytest.approx(1 / 2 * 1 / 2 + 1 / 2)]]
    # Nothing is pasted: the image is the target's alone, mask or no mask.
    assert weights(TARGET, SOURCE, 1) == weights(NO_OBJECT, SOURCE, 1) == [[1, 1]]


def weights(target, source, columns: int) -> list:
    settings = settings_of("mask-cutmix", labels="visible-fraction")
    return mask_cutmix.mix(target, source, mixing_of(placements=[[0, columns]]), settings)[1].tolist()


def test_no_label_is_left_where_neither_object_is_seen():
    target, source = with_mask(random_images(0, 1), 1), with_mask(random_images(1, 1), 0)
    settings = settings_of("oa-cutmix", labels="visible-fraction")
    assert oa_cutmix.mix(target, source, mixing_of(0.0, (3, 3)), settings)[1].tolist() == [[0.5, 0]]


# ---- objects of another size ----


def test_objects_are_rescaled_about_their_middle_by_hand():
    image = torch.zeros(1, 2, 4, 4, dtype=torch.uint8)
    image[0, :, :2, :2] = torch.tensor([[[60]], [[1]]])
    [[_, same]], [[_, larger]] = (rescale(image, torch.tensor([factor])) for factor in (1.0, 2.0))
    assert same.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert larger.tolist() == [[1] * 4] * 4
    # It would be 20 px wide: it is as large as the image instead.
    assert torch.equal(rescale(image, torch.tensor([10.0])), rescale(image, torch.tensor([2.0])))
    assert rescale(image, torch.tensor([0.5]))[0, 1].sum() in (1, 4)


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.8])
def test_a_scaled_object_leaves_lambda_to_the_target(kept):
    masks = torch.zeros(2, 1, 1, 40, 40)
    masks[0, ..., :10, :20], masks[1, ..., 10:20, 15:25] = 1, 1
    target, source = (with_mask(random_images(i, 1, 3, 40), masks[i]) for i in (0, 1))
    # F_a = 200, and the object takes 200 (1 - kept) / kept pixels: at most 800, in the lower 30 rows.
    drawn = mixing_of(kept, placements=[[6 if kept > 0.2 else 10, 0]])
    settings = settings_of("mask-cutmix-scaled")
    weight = mask_cutmix_scaled.mix(target, source, drawn, settings)[1].item()
    assert weight == pytest.approx(kept, abs=0.06)


def test_an_object_keeps_its_size_where_the_target_has_none():
    masks = torch.zeros(2, 1, 1, 40, 40)
    masks[1, ..., 10:20, 15:25] = 1
    target, source = (with_mask(torch.full((1, 3, 40, 40), 9 * i), masks[i]) for i in (0, 1))
    mixed, weight = mask_cutmix_scaled.mix(target, source, mixing_of(0.5), settings_of("mask-cutmix-scaled"))
    assert (mixed == 9).sum().item() == 3 * 100 and weight.item() == 0


def test_weights_of_scaled_objects_are_more_spread():
    masks = torch.zeros(2, 500, 1, 32, 32)
    masks[..., 8:24, 10:22] = 1
    target, source = (with_mask(torch.zeros(500, 3, 32, 32), each) for each in masks)
    spread = []
    for method, module in (("mask-cutmix", mask_cutmix), ("mask-cutmix-scaled", mask_cutmix_scaled)):
        settings = settings_of(method)
        spread.append(module.mix(target, source, draw_mixing(1, 0, (500, 32, 32), settings), settings)[1].std().item())
    # Beta(1, 1) has .29; small lambda want objects that do not fit.
    assert spread[1] > 2 * spread[0] and spread[1] == pytest.approx(0.29, abs=0.06)


def test_copy_paste_pastes_the_object_at_its_size_and_place_by_hand():
    # At its own size its one pixel, of column 3, comes to column 1, and hides half of the target's object.
    settings = settings_of("copy-paste", min_scale=1.0, max_scale=1.0)
    mixed, weight = copy_paste.mix(TARGET, SOURCE, mixing_of(), settings)
    assert mixed[0, 0, 0].tolist() == [1, 8, 3, 4] and weight.item() == pytest.approx(1 / 2)
    mixed, weight = copy_paste.mix(TARGET, SOURCE, mixing_of(placements=[[0, 1]]), settings)
    assert mixed[0, 0, 0].tolist() == [1, 2, 8, 4] and weight.item() == pytest.approx(2 / 3)


# ---- cutmix with the weights of mask-cutmix ----


@pytest.mark.parametrize("labels", [ABSOLUTE, RELATIVE])
def test_a_matched_box_has_the_weight_of_mask_cutmix_and_its_area(labels):
    masks = torch.zeros(2, 200, 1, 20, 30)
    generator = np.random.default_rng(0)
    for mask in masks.flatten(0, 2):
        top, left, rows, columns = generator.integers(0, [10, 15, 11, 16])
        mask[top : top + rows, left : left + columns] = 1
    shape = (200, 3, 20, 30)
    target, source = with_mask(torch.zeros(shape), masks[0]), with_mask(torch.ones(shape), masks[1])
    settings = settings_of("cutmix-matched", labels=labels)
    drawn = draw_mixing(1, 0, (200, 20, 30), settings)
    _, wanted = mask_cutmix.mix(target, source, drawn, settings_of("mask-cutmix", labels=labels))
    mixed, weight = cutmix_matched.mix(target, source, drawn, settings)
    inside = mixed[:, 0] > 0
    heights, widths = (inside.any(axis).sum(1) for axis in (2, 1))
    assert torch.equal(inside.sum((1, 2)), heights * widths)  # boxes
    assert torch.equal(weight, wanted) and len(weight.unique()) > 20
    assert (((1 - weight) * 600 - inside.sum((1, 2))).abs() <= heights / 2 + 1e-3).all()
    assert (heights[wanted == 1] == 0).all() and (inside[wanted == 0].all())


def test_a_matched_box_by_hand():
    # mask-cutmix gives the target 2 / (2 + 1), so a third of 4 pixels is to be pasted: one, at the third of 4 places.
    drawn = mixing_of(corner=(0.0, 0.6))
    mixed, weight = cutmix_matched.mix(TARGET, SOURCE, drawn, settings_of("cutmix-matched"))
    assert mixed[0, 0, 0].tolist() == [1, 2, 7, 4] and weight.item() == pytest.approx(2 / 3)

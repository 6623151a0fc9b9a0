"""Scenes: exact masks, objects that are whole, draws that depend on nothing but name and id."""

from types import SimpleNamespace

import numpy as np
import pytest
from clothes import clothes

from selfdoubt.data import scenes
from selfdoubt.data.datasets import Split
from selfdoubt.runtime import randomness


@pytest.fixture(scope="module")
def objects() -> dict[str, Split]:
    return {name: clothes(name, 1000) for name in ("train", "val", "test")}


@pytest.fixture(scope="module")
def composed(objects) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {name: scenes.compose(split.images, split.image_ids, name) for name, split in objects.items()}


def draws_of(image_ids, name: str = "test") -> list[np.random.Generator]:
    return [randomness.generator(0, f"scene-{name}", int(image_id)) for image_id in image_ids]


def rectangles(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Objects of 20 x 10 px, the left half bright, the right half dark; and their ids."""
    images = np.zeros((n, 1, 28, 28), np.uint8)
    images[:, :, 4:24, 9:14], images[:, :, 4:24, 14:19] = 240, 60
    return images, np.arange(n)


# ---- masks ----


def test_outside_its_mask_a_scene_is_the_background_and_inside_it_is_not(objects, composed):
    images, masks = composed["test"]
    background = scenes.backgrounds(draws_of(objects["test"].image_ids))
    differs = (images != background).any(1)
    assert not (differs & ~masks).any()
    assert differs[masks].mean() > 0.999  # a pixel of an object may be that of the background by chance


def test_types_and_shapes(composed):
    images, masks = composed["val"]
    assert (images.shape, images.dtype) == ((1000, 3, 32, 32), np.uint8)
    assert (masks.shape, masks.dtype) == ((1000, 32, 32), bool)
    assert images.flags.c_contiguous


def test_every_object_is_there_and_as_large_as_its_silhouette(objects, composed):
    areas = composed["test"][1].sum((1, 2))
    shares = areas / scenes.silhouettes(objects["test"].images[:, 0]).sum((1, 2))
    assert areas.min() >= 20
    # scales of 0.5 to 0.9 square to 0.25 to 0.81; sides are rounded to whole pixels, thin straps gain or lose
    assert shares.min() > 0.15 and shares.max() < 1
    assert np.mean((shares > 0.2) & (shares < 0.87)) > 0.98


def test_a_rectangle_stays_whole_wherever_it_is_and_reaches_all_borders():
    images, ids = rectangles(400)
    _, masks = scenes.compose(images, ids, "test")
    rows, columns = masks.any(2), masks.any(1)
    heights, widths = rows.sum(1), columns.sum(1)
    assert (masks.sum((1, 2)) == heights * widths).all()  # still a rectangle: nothing is cut or hidden
    assert (heights.min(), heights.max()) == (10, 18)  # 0.5 and 0.9 of 20
    assert (widths.min(), widths.max()) == (5, 9)
    assert all(border.any() for border in (rows[:, 0], rows[:, -1], columns[:, 0], columns[:, -1]))


def test_an_object_has_one_colour_and_its_own_shading():
    images, ids = rectangles(50)
    made, masks = scenes.compose(images, ids, "test")
    n_left = 0
    for scene, mask in zip(made, masks, strict=True):
        left, right = np.flatnonzero(mask.any(0))[[0, -1]]
        row = np.flatnonzero(mask.any(1))[0]
        ends = scene[:, row, [left, right]].astype(float)  # (3, 2)
        bright, dark = ends[:, ends.sum(0).argmax()], ends[:, ends.sum(0).argmin()]
        ratio = dark.sum() / bright.sum()
        assert 60 / 240 - 0.05 < ratio < 0.8  # 0.45 of the colour at 0 in the lightest case: 0.587 / 0.968
        np.testing.assert_allclose(dark, ratio * bright, atol=2)  # one hue
        n_left += ends[:, 0].sum() > ends[:, 1].sum()
    assert 10 <= n_left <= 40  # flipped at random: 50 fair coins, 4 standard deviations are 14


# ---- silhouettes ----


def silhouette(pixels: np.ndarray) -> np.ndarray:
    return scenes.silhouettes(pixels[None].astype(np.uint8))[0]


def test_a_hole_is_filled_and_a_gap_is_not():
    ring = np.zeros((12, 12))
    ring[2:10, 2:10], ring[4:8, 4:8] = 200, 0
    filled = np.zeros((12, 12), bool)
    filled[2:10, 2:10] = True
    np.testing.assert_array_equal(silhouette(ring), filled)
    ring[4:8, 8:10] = 0  # open to the right
    filled[4:8, 4:10] = False
    np.testing.assert_array_equal(silhouette(ring), filled)


def test_specks_and_fringe_are_no_object_but_faint_parts_within_are():
    image = np.zeros((12, 12))
    image[3:9, 3:9] = 200
    image[5:7, 5:7] = 1  # faint, within
    expected = image > 0
    image[0, 0:2] = 255  # a bright speck
    image[3, 9] = image[2, 5] = 3  # fringe
    np.testing.assert_array_equal(silhouette(image), expected)


def test_where_all_is_specks_the_largest_is_the_object():
    image = np.zeros((12, 12))
    image[1, 1:4], image[8, 8] = 200, 200
    assert np.argwhere(silhouette(image)).tolist() == [[1, 1], [1, 2], [1, 3]]


def test_images_do_not_touch_one_another():
    images = np.zeros((3, 12, 12), np.uint8)
    images[0, 1:5, 1:5] = images[2, 1:5, 1:5] = 200
    images[1, 2, 2:4] = 200  # alone: a speck, but all that the image has
    assert scenes.silhouettes(images).sum((1, 2)).tolist() == [16, 2, 16]


def test_a_line_that_covers_less_than_half_of_each_pixel_has_a_mask():
    line = np.diag(np.full(28, 255, np.uint8))[None]
    _, masks = scenes.place(line, [SimpleNamespace(random=np.zeros)])  # at half its size
    assert masks.any() and masks.sum() < 28


def test_an_image_of_nothing_is_refused():
    with pytest.raises(ValueError, match="shows no object"):
        scenes.compose(np.zeros((1, 1, 28, 28), np.uint8), np.zeros(1, np.int32), "test")


# ---- draws ----


def test_a_scene_depends_neither_on_the_others_nor_on_their_order(objects, composed, monkeypatch):
    split, (images, masks) = objects["test"], composed["test"]
    monkeypatch.setattr(scenes, "_BATCH", 13)
    chosen = np.array([900, 3, 4, 77, *range(300, 340)])
    again = scenes.compose(split.images[chosen], split.image_ids[chosen], "test")
    np.testing.assert_array_equal(again[0], images[chosen])
    np.testing.assert_array_equal(again[1], masks[chosen])


def test_the_name_of_the_split_changes_the_draws(objects, composed):
    split = objects["test"]
    other, _ = scenes.compose(split.images[:20], split.image_ids[:20], "val")
    assert all((a != b).mean() > 0.5 for a, b in zip(other, composed["test"][0], strict=False))


def test_no_scene_is_there_twice(composed):
    found = [image.tobytes() for images, _ in composed.values() for image in images]
    assert len(set(found)) == len(found) == 3000


def test_what_the_object_is_does_not_change_the_background(objects):
    shirts, boxes = objects["test"].images[:100], rectangles(100)[0]
    (one, its_mask), (other, other_mask) = (scenes.compose(images, np.arange(100), "x") for images in (shirts, boxes))
    free = ~(its_mask | other_mask)[:, None] & np.ones((1, 3, 1, 1), bool)
    np.testing.assert_array_equal(one[free], other[free])


# ---- what identifies the object ----


def means(composed) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean colours of objects and of what is around them, (n, 3) each."""
    images, masks = composed["test"]
    inside = masks[:, None] * np.ones((1, 3, 1, 1))
    return tuple((images * part).sum((2, 3)) / part.sum((2, 3)) for part in (inside, 1 - inside))


def test_brightness_and_colour_do_not_identify_the_object(composed):
    inside, outside = means(composed)
    # n = 1000; standard errors of these means are some 2 grey levels, of this share 1.6 %
    assert np.abs(inside.mean(0) - outside.mean(0)).max() < 10
    assert 0.43 < (inside.mean(1) > outside.mean(1)).mean() < 0.57


def test_nearly_every_object_stands_out(objects, composed):
    images, masks = composed["test"]
    hidden = scenes.backgrounds(draws_of(objects["test"].image_ids))
    area = masks.sum((1, 2))[:, None]
    difference = ((images - hidden) * masks[:, None]).sum((2, 3)) / area
    distance = np.sqrt((difference**2).mean(1))
    assert np.mean(distance >= scenes.CONTRAST - 1) > 0.93  # 1 for rounding
    assert np.mean(distance >= 45) > 0.99


def test_places_are_spread(composed):
    masks = composed["test"][1]
    rows = (masks.any(2) * np.arange(32)).sum(1) / masks.any(2).sum(1)
    columns = (masks.any(1) * np.arange(32)).sum(1) / masks.any(1).sum(1)
    for centres in (rows, columns):
        assert abs(centres.mean() - 15.5) < 1 and centres.std() > 2.5


@pytest.mark.parametrize("name", list(scenes.TEXTURES))
def test_a_texture_is_grey_in_the_unit_interval_and_not_plain(name):
    draw = np.random.default_rng(0)
    values = scenes.TEXTURES[name](draw.random((5, 40, 1, 1)), draw.standard_normal((40, 32, 32)))
    assert values.shape == (40, 32, 32)
    assert values.min() >= 0 and values.max() <= 1
    assert np.median(values.std((1, 2))) > 0.05
    assert (values[0] != values[1]).any()

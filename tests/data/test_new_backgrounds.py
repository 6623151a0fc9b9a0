"""The test scenes before backgrounds of other families: the same objects to the pixel, and another background."""

from dataclasses import replace

import numpy as np
import pytest
from clothes import clothes

from selfdoubt.data import scenes, shifted
from selfdoubt.data.datasets import Split
from selfdoubt.data.shifts import new_backgrounds
from selfdoubt.runtime import cli
from selfdoubt.runtime.errors import UserError

SETTINGS = cli.Settings(source="new-backgrounds", max_gb=4.0)


@pytest.fixture(scope="module")
def test_scenes() -> Split:
    split = clothes("test", 200)
    images, masks = scenes.compose(split.images, split.image_ids, "test")
    return replace(split, images=images, masks=masks)


@pytest.fixture(scope="module")
def changed(test_scenes) -> Split:
    return shifted.recollected(SETTINGS, test_scenes, [])


def test_objects_stay_to_the_pixel_and_what_is_behind_them_does_not(test_scenes, changed):
    inside = np.broadcast_to(test_scenes.masks[:, None], changed.images.shape)
    assert (changed.images[inside] == test_scenes.images[inside]).all()
    assert ((changed.images != test_scenes.images).any(1) & ~test_scenes.masks).sum() / (
        ~test_scenes.masks
    ).sum() > 0.99
    for name in ("labels", "image_ids", "masks"):
        np.testing.assert_array_equal(getattr(changed, name), getattr(test_scenes, name))
    assert changed.images.dtype == np.uint8


def test_objects_stand_out_as_before(test_scenes, changed):
    draws = [np.random.default_rng(i) for i in range(200)]
    behind = scenes.backgrounds(draws, new_backgrounds.TEXTURES)  # any: what the objects themselves have hidden is gone
    plain = new_backgrounds._contrast(test_scenes.images, behind, test_scenes.masks)
    outside = ~changed.masks[:, None]
    around = (changed.images * outside).sum((2, 3)) / outside.sum((2, 3))
    objects = (changed.images * changed.masks[:, None]).sum((2, 3)) / changed.masks.sum((1, 2))[:, None]
    distance = np.sqrt(((objects - around) ** 2).mean(1))
    assert (plain < scenes.CONTRAST).mean() > 0.2  # so the choice among several matters
    assert np.mean(distance > 40) > 0.9


def test_a_scene_depends_on_its_id_alone(test_scenes, changed):
    rows = np.array([150, 3, 77])
    part = Split(*(getattr(test_scenes, name)[rows] for name in ("images", "labels", "image_ids", "masks")))
    np.testing.assert_array_equal(new_backgrounds.changed("", part).images, changed.images[rows])


def test_the_first_background_with_enough_contrast_is_taken_and_else_the_one_with_most(test_scenes, monkeypatch):
    rows = np.arange(20)
    part = Split(*(getattr(test_scenes, name)[rows] for name in ("images", "labels", "image_ids", "masks")))
    found = {}
    for contrast, n_drawn in ((0, 1), (0, 8), (np.inf, 8), (np.inf, 1)):
        monkeypatch.setattr(scenes, "CONTRAST", contrast)
        monkeypatch.setattr(new_backgrounds, "_N_DRAWN", n_drawn)
        found[contrast, n_drawn] = new_backgrounds.changed("", part).images
    first = found[0, 1]
    assert (found[0, 8] == first).all() and (found[np.inf, 1] == first).all()
    assert (found[np.inf, 8] != first).any((1, 2, 3)).mean() > 0.5


def test_no_family_is_one_of_training():
    assert not new_backgrounds.TEXTURES.keys() & scenes.TEXTURES.keys()


@pytest.mark.parametrize("name", list(new_backgrounds.TEXTURES))
def test_a_texture_is_grey_in_the_unit_interval_and_not_plain(name):
    draw = np.random.default_rng(0)
    noise = draw.standard_normal((40, 32, 32), np.float32)
    values = new_backgrounds.TEXTURES[name](draw.random((5, 40, 1, 1), np.float32), noise)
    assert values.shape == (40, 32, 32) and values.min() >= 0 and values.max() <= 1
    assert np.median(values.std((1, 2))) > 0.05 and (values[0] != values[1]).any()


def test_images_without_masks_are_refused(test_scenes):
    for other in (replace(test_scenes, masks=None), replace(test_scenes, images=test_scenes.images[:, :1])):
        with pytest.raises(UserError, match="new-backgrounds needs scenes"):
            shifted.recollected(SETTINGS, other, [])

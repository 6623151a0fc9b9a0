"""Clutter around objects, by hand."""

import numpy as np
import pytest

from selfdoubt.data.clutter import clutter


def test_differences_of_neighbours_outside_of_the_object_by_hand():
    image = np.array([[[10, 20, 20], [10, 255, 30], [10, 0, 40]]], np.uint8)
    object_ = np.array([[False, False, False], [False, True, False], [False, True, False]])
    # side by side: 10 and 0 in the first row, none of which one is the object's; above each other: 0 0, 10 10
    assert clutter(image[None], object_[None]) == pytest.approx([(10 + 0 + 0 + 0 + 10 + 10) / 6 / 255])


def test_channels_count_alike_and_the_colour_of_a_plain_background_does_not():
    images, objects = np.full((3, 3, 4, 4), 7, np.uint8), np.zeros((3, 4, 4), bool)
    images[0, 1, :, ::2] = 97  # of one channel of three, all pairs in rows, which are half of all: 90 / 3 / 2
    images[1] += 200
    images[2], objects[2] = images[0], True
    assert clutter(images, objects) == pytest.approx([15 / 255, 0, 0])


def test_many_images_are_measured_as_each_alone():
    draws = np.random.default_rng(0)
    images, objects = draws.integers(0, 256, (1003, 1, 3, 3), np.uint8), draws.random((1003, 3, 3)) < 0.3
    found = clutter(images, objects)
    assert found.shape == (1003,) and found[[0, 1002]] == pytest.approx(
        [clutter(images[[i]], objects[[i]])[0] for i in (0, 1002)]
    )
    assert clutter(images[:0], objects[:0]).shape == (0,)

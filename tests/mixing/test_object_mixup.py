"""Objects that are blended before one background: by hand on a few pixels, and without masks."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_mixing import mixing_of, random_images, settings_of, with_mask

from selfdoubt.data import masks
from selfdoubt.data.datasets import Split
from selfdoubt.mixing import mixer
from selfdoubt.mixing.methods import mixup, object_mixup


def row(pixels, mask) -> torch.Tensor:
    return torch.tensor([[[pixels], [mask]]], dtype=torch.uint8)


def mix(target, source, kept: float = 0.25, **values):
    return object_mixup.mix(target, source, mixing_of(kept), settings_of("object-mixup", **values))


def test_two_objects_before_one_background_by_hand():
    target, source = row([9, 4, 4, 4], [1, 0, 0, 0]), row([7, 7, 7, 100], [0, 0, 0, 1])
    mixed, weight = mix(target, source)
    # a's object over a's colour 4, b's over it: 9/4 + 3 * 4/4, 4, 4, 4/4 + 3 * 100/4; nothing of b's 7
    assert_close(mixed, torch.tensor([[[[5.25, 4, 4, 76]]]]))
    assert weight.tolist() == [0.25]
    assert_close(mix(target, source, dilate_px=1)[0][0, 0, 0, 2], torch.tensor(4 / 4 + 3 * 7 / 4))


@pytest.mark.parametrize(("of_target", "of_source"), [(0, 0.5), (1, 0.5), (0.5, 0)])
def test_images_whose_masks_say_nothing_are_mixed_whole(of_target, of_source):
    halves = {0: torch.zeros(6, 6), 1: torch.ones(6, 6), 0.5: torch.triu(torch.ones(6, 6))}
    images, drawn = [random_images(i, 1) for i in (0, 1)], mixing_of(0.3)
    target, source = (with_mask(each, halves[of]) for each, of in zip(images, (of_target, of_source), strict=True))
    for found, expected in zip(mix(target, source, 0.3), mixup.mix(*images, drawn, None), strict=True):
        assert_close(found, expected)


def test_pairs_with_a_doubtful_mask_are_mixed_without_it(tmp_path):
    """Where background swap leaves them alone."""
    found, confidence = np.ones((4, 6, 6), bool), np.array([0.9, 0.1, 0.9, 0.9])
    masks.write_masks(tmp_path / "masks", found, {"min_confidence": 0.5}, confidence.astype(np.float32))
    split = Split(random_images(0, 4).numpy(), np.arange(4), np.arange(4, dtype=np.int32))
    settings = SimpleNamespace(mixing=settings_of("background-swap", mask_control="permuted"), masks=None)
    job = SimpleNamespace(settings=settings, replicate=1, masks=[tmp_path / "permuted"])
    sized = found.copy()
    sized[1, 3:] = False  # the doubtful mask is known by its size
    masks.write_masks(tmp_path / "permuted", sized, {"min_confidence": 0.5}, confidence.astype(np.float32))
    made = mixer.of_job(job, split)
    assert made.doubtful.tolist() == (~made.masks.all((1, 2))).tolist() and not made.doubtful[1]
    for method, n in (("object-mixup", 0), ("background-swap", 1)):
        settings = SimpleNamespace(mixing=settings_of(method, mask_control="none"), masks=None)
        job = SimpleNamespace(settings=settings, replicate=1, masks=[tmp_path / "masks"])
        made = mixer.of_job(job, split)
        assert (0 if made.doubtful is None else made.doubtful.sum()) == n
        assert made.masks.any((1, 2)).tolist() == [True, n == 1, True, True]

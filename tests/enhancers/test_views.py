"""Views: their draws, their signals by hand, and the label that is kept."""

import math

import numpy as np
import pytest
import torch
from small_enhancers import SPLITS, answer, batch_of, clean_logits, single

from selfdoubt.enhancers import selection, views

GEOMETRIC = [{"shift_px": 2}, {"flip": True}, {"rotation_degrees": 20}, {"scale_percent": 20}, {"crop_percent": 75}]


def drawn(n_views=4, family="geometry", **values):
    settings = single("views", n_views=n_views, family=family)
    vars(settings).pop("shift_px"), vars(settings).pop("rotation_degrees")
    vars(settings).update(values)
    return views.drawn(batch_of().images, settings, np.random.default_rng(1))


def test_signals_of_three_views():
    # p of class 0, which is predicted of the clean image: .5, .25, .125; the second view prefers class 1, the third 2.
    p = torch.tensor([[[0.5, 0.3, 0.2]], [[0.25, 0.5, 0.25]], [[0.125, 0.375, 0.5]]])
    found = {name: values.item() for name, values in views.signals(p.log(), torch.tensor([0])).items()}
    log_2 = math.log(2)
    expected = {"mean_log_p": -2 * log_2, "least_log_p": -3 * log_2, "deviation_log_p": (2 / 3) ** 0.5 * log_2}
    assert found == pytest.approx({**expected, "agreement": 1 / 3})


def test_confidence_is_the_mean_probability_of_the_clean_prediction():
    values = {"family": "geometry", "n_views": 4, "shift_px": 2, "flip": True}
    found = answer("views", generator=np.random.default_rng(7), **values)
    batch, settings = batch_of(), single("views", **values)
    del settings.rotation_degrees
    seen = [batch.images, *views.drawn(batch.images, settings, np.random.default_rng(7))]
    p = torch.stack([batch.logits(view).softmax(-1) for view in seen]).mean(0)
    torch.testing.assert_close(found.logits.exp(), p)
    np.testing.assert_array_equal(found.predicted, clean_logits().argmax(1))
    assert (found.logits.argmax(1) != found.predicted).any()  # where views would rather have another class


@pytest.mark.parametrize("values", [*GEOMETRIC, {"family": "noise", "noise_255": 10}])
def test_views_are_changed_images_within_the_pixel_range(values):
    found, clean = drawn(**values), batch_of().images
    assert len(found) == 3
    for view in found:
        assert view.shape == clean.shape and view.min() >= 0 and view.max() <= 1
    assert any(not torch.allclose(view, clean, atol=0.01) for view in found)


def test_views_of_shifts_are_those_of_tta():
    # A view is a window of the padded image, then perhaps its mirror image; two thirds of .9 of 5 windows: the last.
    image = batch_of().images[:1]
    [moved] = views.shifted(image, torch.tensor([[[0.9, 0.0, 0.7]]]), 2, True)
    torch.testing.assert_close(moved[..., :-2, 2:], image[..., 2:, :-2])
    [mirrored] = views.shifted(image, torch.tensor([[[0.5, 0.5, 0.2]]]), 2, True)
    torch.testing.assert_close(mirrored, image.flip(3))


def test_a_crop_shows_a_part_enlarged():
    # Windows of half the sides of an image whose left half is white: what they show is all black, all white or between.
    image = torch.zeros(1, 1, 8, 8)
    image[..., :4] = 1
    settings = single("views", n_views=200)
    del settings.shift_px, settings.rotation_degrees
    settings.crop_percent = 50
    inside = torch.cat(views.drawn(image, settings, np.random.default_rng(0)))[:, 0, 3:5]
    fraction = inside.mean((1, 2))
    assert fraction.max() > 0.9 and fraction.min() < 0.1 and 0.4 < fraction.mean() < 0.6


def test_noise_has_the_stated_deviation():
    image = torch.full((2, 1, 32, 32), 0.5)
    settings = single("views", family="noise", n_views=9, noise_255=10)
    noise = torch.stack(views.drawn(image, settings, np.random.default_rng(0))) - 0.5
    assert noise.std().item() == pytest.approx(10 / 255, rel=0.05) and abs(noise.mean().item()) < 0.001


def test_signals_of_views_are_columns_of_the_predictions():
    for method, further in (("views", set()), ("view-logistic", {"fold"})):
        found = selection.enhance(batch_of().model, SPLITS, single(method), seed=0)
        names = {"predicted", "mean_log_p", "least_log_p", "deviation_log_p", "agreement"}
        assert set(found.signals) == names | further

"""Transformations and steps among them: against shifts, rotations and differences that can be computed by hand."""

import math

import numpy as np
import pytest
import torch
from small_enhancers import SPLITS, batch_of, network, settings_of, single
from torch import nn

from selfdoubt.attacks import gradients
from selfdoubt.enhancers import batches, selection, transformations
from selfdoubt.enhancers.methods import radius, transform_attack

IMAGES = torch.from_numpy(SPLITS["test"].images[:4] / 255)  # float64 (4, 1, 8, 8)
SIZE = (8, 8)


def affine(images, *theta):
    places = transformations.affine_places(torch.tensor([theta], dtype=images.dtype).expand(len(images), -1), SIZE)
    return transformations.sample(images, places)


def test_affine_maps_shift_turn_and_enlarge_contents():
    torch.testing.assert_close(affine(IMAGES, 0, 0, 0, 0, 0), IMAGES)
    right_and_up = affine(IMAGES, 2, -1, 0, 0, 0)
    torch.testing.assert_close(right_and_up[..., :-1, 2:], IMAGES[..., 1:, :-2])
    assert (right_and_up[..., -1, :] == 0).all() and (right_and_up[..., :2] == 0).all()  # black moves in
    torch.testing.assert_close(affine(IMAGES, 0, 0, math.pi / 2, 0, 0), IMAGES.rot90(-1, (2, 3)))  # clockwise
    # Three times as large, the pixel 1 from the centre's left lies 3 from it: 4 pixels from the centre are 4 / 3.
    places = transformations.affine_places(torch.tensor([[0.0, 0, 0, math.log(3), 0]]), (1, 9))
    assert places[0, 0, 0].tolist() == pytest.approx([-4 / 3, 0])
    # Sheared by .5 to the right for each pixel down, the pixel below the centre comes from .5 to its left.
    places = transformations.affine_places(torch.tensor([[0.0, 0, 0, 0, 0.5]]), (3, 3))
    assert places[0, 2, 1].tolist() == pytest.approx([-0.5, 1])


def test_a_field_is_interpolated_and_bounded_by_its_grid():
    even = torch.zeros(4, 2, 3, 3, dtype=IMAGES.dtype)
    even[:, 0] = 1  # one pixel to the right everywhere
    moved = transformations.sample(IMAGES, transformations.flow_places(even, SIZE))
    torch.testing.assert_close(moved[..., 1:], IMAGES[..., :-1])
    theta = torch.zeros(1, 2, 2, 2)
    theta[0, 1, 0, 0] = 1  # only the upper left corner, down: along the first row 1, 2/3, 1/3, 0
    places = transformations.flow_places(theta, (4, 4)) - transformations.flow_places(0 * theta, (4, 4))
    torch.testing.assert_close(places[0, 0, :, 1], -torch.tensor([1, 2 / 3, 1 / 3, 0]))
    assert places.abs().max() <= 1 and (places[..., 0] == 0).all()


@pytest.mark.parametrize("space", ["affine", "flow"])
def test_the_gradient_in_theta_is_that_of_finite_differences(space):
    model = network().double()
    flow = torch.zeros(4, 2, 3, 3, dtype=IMAGES.dtype)
    zeros, places_of = {
        "affine": (flow.new_zeros(4, 5), transformations.affine_places),
        "flow": (flow, transformations.flow_places),
    }[space]
    images = 0.2 + 0.6 * IMAGES  # nothing is clamped
    predicted = model(images).argmax(1)
    pixels = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(gradients.log_odds(predicted)(model(pixels)).sum(), pixels)
    found = transformations.theta_gradient(images, slope, zeros, places_of).flatten(1)
    for i in range(found.shape[1]):
        step = torch.zeros_like(zeros)
        step.flatten(1)[:, i] = 1e-5
        up, down = (
            gradients.log_odds(predicted)(model(transformations.sample(images, places_of(theta, SIZE))))
            for theta in (step, -step)
        )
        torch.testing.assert_close(found[:, i], (up - down).detach() / 2e-5, rtol=1e-3, atol=1e-5)


def row_batch(weights: list[float], pixels: list[float]) -> batches.Batch:
    """One image of a row of pixels, and a model of logits (weights . pixels, 0)."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(len(pixels), 2, bias=False))
    model[1].weight.data = torch.tensor([weights, [0.0] * len(pixels)])
    return batches.Batch(model, torch.tensor(pixels).reshape(1, 1, 1, -1))


@pytest.mark.parametrize("direction", ["gradient", "random"])
def test_a_step_of_one_pixel_in_both_directions(direction, monkeypatch):
    # Log-odds are 3b + c + 2d of (a, b, c, d, e) = (0, .4, .6, 0, 0): 1.8. To the right by one pixel they are
    # 1 * .4 + 2 * .6 = 1.6, to the left 3 * .6 = 1.8: gain 0, loss .2. At the clean image the slope is
    # -.75 * (3 * (.6 - 0) + 1 * (0 - .4) + 2 * (0 - .6)) = -.15 a pixel to the right: the step up is to the left.
    batch = row_batch([0, 3, 1, 2, 0], [0, 0.4, 0.6, 0, 0])
    values = {"rotation_degrees": 0, "scale_percent": 0, "shear_percent": 0, "shift_px": 1}
    settings = single("transform-attack", eta=1, direction=direction, **values)
    # A row of one pixel has no place above or below: a step down would be black, so it is not taken.
    sizes, places_of = transform_attack._sizes(settings)
    sizes[1] = 0
    monkeypatch.setattr(transform_attack, "_sizes", lambda settings: (sizes, places_of))
    found = transform_attack.signals_of(batch, settings, np.random.default_rng(0))
    columns = {name: values.item() for name, values in found.columns.items()}
    expected = {"log_odds_towards": 1.8, "log_odds_away": 1.6, "transform_asymmetry": -1}
    assert columns == pytest.approx(expected, abs=1e-4)
    assert found.images.flatten().tolist() == pytest.approx([0.4, 0.6, 0, 0, 0], abs=1e-5)


def test_steps_along_a_gradient_raise_and_lower_confidence_and_random_ones_are_of_their_size():
    small = single("transform-attack", eta=0.05)
    found = transform_attack.signals_of(batch_of(), small, None)
    clean = gradients.top_log_odds()(found.logits)
    assert (found.columns["log_odds_towards"] > clean).all() and (found.columns["log_odds_away"] < clean).all()
    random = settings_of("transform-attack", direction="random", eta=0.05)
    control = transform_attack.signals_of(batch_of(), random, np.random.default_rng(0))
    assert (control.columns["log_odds_towards"] >= control.columns["log_odds_away"]).all()
    widths = [(each.columns["log_odds_towards"] - each.columns["log_odds_away"]).mean() for each in (found, control)]
    assert widths[1] < widths[0]


# ---- radius ----


@pytest.mark.parametrize("values", [{"n_steps": 1}, {"n_steps": 3}, {"n_steps": 4, "epsilon_255": 64}])
def test_the_radius_of_a_linear_model_is_exact(values):
    # The lead 2a - b is .4 at (.4, .4), and falls by 3 for each unit that a falls and b rises: the radius is .4 / 3.
    # The way of 64 / 255 crosses there, the others end there.
    batch = row_batch([2, -1], [0.4, 0.4])
    settings = single("radius", **values)
    if "epsilon_255" not in values:
        del settings.epsilon_255
    found = selection.load("radius").enhance(batch, settings, None)
    distance = found.signals["radius_255"].item()
    assert distance == pytest.approx(255 * 0.4 / 3, rel=1e-4) and found.predicted.item() == 0
    assert (found.logits[0, 0] - found.logits[0, 1]).exp().item() == pytest.approx(distance, rel=1e-4)


def test_leads_cross_between_steps_and_beyond_the_last():
    leads = torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.5, 0.8, -1.0, 1.5], [-0.5, 0.6, 2.0, 1.2]])
    found = radius.crossings(leads, torch.tensor([2.0, 2.0, 4.0, 1.0]))
    # Half way in the second step of 1; at 2 * 1 / .4; half way in the first step of 2; it never falls: 1000 times 1.
    assert found.tolist() == pytest.approx([1.5, 5, 1, 1000])


def test_the_order_of_radii_is_that_of_confidence():
    found = selection.load("radius").enhance(batch_of(), single("radius"), None)
    odds = gradients.log_odds(found.predicted)(found.logits)
    order = found.signals["radius_255"].argsort()
    assert (odds[order].diff() >= 0).all()

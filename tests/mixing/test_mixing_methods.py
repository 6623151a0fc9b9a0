"""Mixed images, checked on images of a few pixels, against plain loops and against torch's own resizing."""

import json

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_mixing import BY_MASKS, SETTINGS, WHOLE_LABELS, mixing_of, random_images, settings_of, with_mask

from selfdoubt.mixing.draws import Mixing, draw_mixing, load
from selfdoubt.mixing.draws import mix as mix_by_settings
from selfdoubt.mixing.saliency import saliency
from selfdoubt.runtime import cli
from selfdoubt.runtime.methods import names_in
from selfdoubt.settings.study import load_study

torch.set_num_threads(1)
SHAPE = (400, 6, 6)
METHODS = [name for name in names_in("mixing.methods") if name in SETTINGS]
NAMES = Mixing._fields


def mix(method: str, target, source, drawn: Mixing | None = None, **values) -> tuple[torch.Tensor, torch.Tensor]:
    drawn = drawn or draw_mixing(1, 0, (len(target), *target.shape[2:]), settings_of(method, **values))
    return mix_by_settings(target, source, drawn, settings_of(method, **values))


def images_for(method: str, n: int = 16) -> tuple[torch.Tensor, torch.Tensor]:
    pair = random_images(0, n), random_images(1, n)
    masks = torch.from_numpy(np.random.default_rng(2).random((n, 1, 6, 6)) < 0.3)
    return tuple(with_mask(images, masks) for images in pair) if method in BY_MASKS else pair


# ---- drawing what is mixed ----


@pytest.mark.parametrize("probability", [0.0, 0.25, 1.0])
def test_the_probability_is_the_fraction_of_mixed_images(probability):
    mixed = draw_mixing(1, 0, SHAPE, settings_of("cutmix", probability=probability)).mixed.double().mean()
    # Four standard deviations of the mean of 400 draws: 4 sqrt(0.25 * 0.75 / 400).
    assert mixed.item() == pytest.approx(probability, abs=0.09 if probability == 0.25 else 0)


def test_what_is_drawn_is_within_the_images():
    drawn = draw_mixing(1, 0, (400, 6, 10), settings_of("mask-cutmix", n_placements=5))
    assert [drawn.centre[:, i].unique().tolist() for i in (0, 1)] == [list(range(6)), list(range(10))]
    assert drawn.partner.min() >= 0 and drawn.partner.max() < 400 and len(drawn.partner.unique()) > 200
    assert drawn.corner.shape == (400, 2) and drawn.corner.min() >= 0 and 0.99 < drawn.corner.max() < 1
    assert drawn.placements.shape == (400, 5, 2)
    assert drawn.placements[..., 0].unique().tolist() == list(range(-3, 4))
    assert drawn.placements[..., 1].unique().tolist() == list(range(-5, 6))


@pytest.mark.parametrize(("method", "key"), [("mixup", "alpha"), ("cutmix", "beta"), ("oa-cutmix", "beta")])
def test_lambda_is_of_a_beta_distribution(method, key):
    # Beta(a, a) has the variance 1 / (4 (2 a + 1)): 1/12 for a = 1, 1/36 for a = 4.
    for a, variance in ((1.0, 1 / 12), (4.0, 1 / 36)):
        kept = draw_mixing(1, 0, (20_000, 6, 6), settings_of(method, **{key: a})).kept
        assert kept.mean().item() == pytest.approx(0.5, abs=0.01)
        assert kept.var().item() == pytest.approx(variance, rel=0.05)


def test_the_scale_of_resizemix_is_uniform():
    scale = (1 - draw_mixing(1, 0, (20_000, 6, 6), settings_of("resizemix")).kept).sqrt()
    assert scale.min().item() == pytest.approx(0.1, abs=1e-3) and scale.max().item() == pytest.approx(0.8, abs=1e-3)
    assert scale.var().item() == pytest.approx(0.7**2 / 12, rel=0.05)


@pytest.mark.parametrize(
    ("method", "change", "changed"),
    [
        ("mask-cutmix", {"n_placements": 9}, {"placements"}),
        ("cutmix", {"beta": 0.2}, {"kept", "centre"}),  # one generator draws the box
        ("cutmix", {"probability": 0.9}, {"mixed"}),
    ],
)
def test_what_is_drawn_does_not_disturb_the_rest(method, change, changed):
    one, other = (draw_mixing(1, 0, SHAPE, settings_of(method, **values)) for values in ({}, change))
    assert {name for name in NAMES if not torch.equal(getattr(one, name), getattr(other, name))} == changed


def test_pairs_are_the_same_whatever_the_method():
    drawn = [draw_mixing(1, 0, SHAPE, settings_of(method)) for method in METHODS]
    for other in drawn[1:]:
        assert torch.equal(other.mixed, drawn[0].mixed) and torch.equal(other.partner, drawn[0].partner)


def test_boxes_of_cutmix_and_oa_cutmix_are_the_same():
    one, other = (draw_mixing(1, 0, SHAPE, settings_of(method)) for method in ("cutmix", "oa-cutmix"))
    assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("kept", "centre"))


def test_mixing_is_that_of_its_seed_and_epoch():
    drawn = [draw_mixing(s, e, SHAPE, settings_of("cutmix")) for s, e in ((1, 2), (1, 2), (1, 3), (2, 2))]
    assert all(torch.equal(getattr(drawn[0], name), getattr(drawn[1], name)) for name in NAMES)
    for other in drawn[2:]:
        assert not any(torch.equal(getattr(drawn[0], name), getattr(other, name)) for name in NAMES)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_the_settings_that_a_script_is_given(method, config):
    model = config["augmented"]["mask-cutmix" if method in BY_MASKS else "cutmix"]
    model["mixing"] = {"method": method, "probability": 0.5, **SETTINGS[method]}
    text = json.dumps(load_study(config).model_settings("mask-cutmix" if method in BY_MASKS else "cutmix")["mixing"])
    settings = cli.parse_settings(text)
    mixed, weight = mix_by_settings(*images_for(method), draw_mixing(1, 0, (16, 6, 6), settings), settings)
    assert mixed.shape == (16, 3, 6, 6) and weight.shape == (16,)


# ---- what all have in common ----


@pytest.mark.parametrize("method", METHODS)
def test_an_image_is_mixed_alike_wherever_it_is_in_a_batch(method):
    target, source = images_for(method)
    drawn = draw_mixing(1, 0, (16, 6, 6), settings_of(method))
    back = torch.arange(16).flip(0)
    mixed, weight = mix(method, target, source, drawn)
    again, weight_again = mix(method, target[back], source[back], drawn.at(back))
    assert_close(again[back], mixed, rtol=0, atol=0)
    assert_close(weight_again[back], weight, rtol=0, atol=0)
    assert (len(weight.unique()) > 3 or method in WHOLE_LABELS) and ((weight >= 0) & (weight <= 1)).all()


def test_batches_may_be_empty():
    for method in METHODS:
        target, source = images_for(method)
        drawn = draw_mixing(1, 0, (16, 6, 6), settings_of(method)).at(torch.zeros(0, dtype=torch.int64))
        mixed, weight = mix(method, target[:0], source[:0], drawn)
        assert mixed.shape == (0, 3, 6, 6) and len(weight) == 0


@pytest.mark.parametrize("method", ["cutmix", "resizemix", "saliency-mix"])
def test_the_weight_of_a_box_is_the_share_of_target_pixels_left(method):
    source = torch.from_numpy(np.random.default_rng(0).integers(99, 256, (16, 3, 6, 8), np.uint8))
    mixed, weight = mix(method, torch.zeros_like(source), source)
    assert_close(weight, (mixed == 0).float().mean((1, 2, 3)))
    assert len(weight.unique()) > 5


# ---- mixup ----


def test_mixup_by_hand():
    # 0.25 * 8 + 0.75 * 4 = 5 and 0.25 * 3 + 0.75 * 2 = 2.25
    target, source = torch.tensor([[[[8, 3]]]], dtype=torch.uint8), torch.tensor([[[[4, 2]]]], dtype=torch.uint8)
    mixed, weight = load("mixup").mix(target, source, mixing_of(0.25), None)
    assert mixed.tolist() == [[[[5, 2.25]]]] and mixed.dtype == torch.float32 and weight.tolist() == [0.25]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_of_mixup_are_the_images(share):
    target, source = random_images(0, 1), random_images(1, 1)
    mixed, _ = load("mixup").mix(target, source, mixing_of(share), None)
    assert torch.equal(mixed, (target if share else source).float())


# ---- cutmix ----


def test_cutmix_by_hand():
    # lambda = 3/4 makes a side of sqrt(1/4) 8 = 4 px, 2 either way of row 3 and column 1, where the border cuts it:
    # rows 1 to 4, columns 0 to 2.
    target, source = torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.ones(1, 1, 8, 8, dtype=torch.uint8)
    mixed, weight = load("cutmix").mix(target, source, mixing_of(3 / 4, (3, 1)), None)
    expected = torch.zeros(8, 8)
    expected[1:5, :3] = 1
    assert torch.equal(mixed[0, 0].float(), expected) and weight.tolist() == [1 - 12 / 64]


def test_the_side_of_a_box_is_even_as_in_the_paper_s_code():
    # lambda = 1/2: sqrt(1/2) 28 = 19.8, so 19 px, so 9 either way.
    target, source = torch.zeros(1, 1, 28, 28), torch.ones(1, 1, 28, 28)
    assert load("cutmix").mix(target, source, mixing_of(1 / 2, (14, 14)), None)[0].sum() == 18 * 18


@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_an_empty_and_a_full_box(kept):
    target, source = random_images(0, 1, 3, 4), random_images(1, 1, 3, 4)
    mixed, weight = load("cutmix").mix(target, source, mixing_of(kept, (2, 2)), None)
    assert torch.equal(mixed, target if kept else source) and weight.tolist() == [kept]


# ---- resizemix ----


@pytest.mark.parametrize(
    ("height", "width", "scale"), [(12, 12, 1 / 12), (12, 12, 0.5), (9, 14, 0.3), (9, 14, 0.75), (9, 14, 1.0)]
)
def test_resizemix_pastes_what_torch_makes_of_the_whole_source(height, width, scale):
    draws = np.random.default_rng(0)
    target, source = (torch.from_numpy(draws.integers(0, 256, (1, 3, height, width), np.uint8)) for _ in range(2))
    sides = max(round(scale * height), 1), max(round(scale * width), 1)
    small = torch.nn.functional.interpolate(source.float(), sides, mode="bilinear", antialias=True).round()
    room = height - sides[0] + 1, width - sides[1] + 1
    top, left = int(0.99 * room[0]), int(0.4 * room[1])
    mixed, weight = load("resizemix").mix(target, source, mixing_of(1 - scale**2, corner=(0.99, 0.4)), None)
    expected = target.clone()
    expected[:, :, top : top + sides[0], left : left + sides[1]] = small.to(torch.uint8)
    difference = (mixed.int() - expected.int()).abs()
    assert difference.max() <= 1 and (difference > 0).float().mean() < 0.02  # halves may round either way
    assert weight.item() == pytest.approx(1 - sides[0] * sides[1] / (height * width))


def test_a_resized_image_reaches_every_corner():
    target, source = torch.zeros(4000, 1, 4, 4, dtype=torch.uint8), torch.ones(4000, 1, 4, 4, dtype=torch.uint8)
    mixed, weight = mix("resizemix", target, source, min_scale=0.5, max_scale=0.5)
    assert weight.unique().tolist() == [0.75]
    # Nine places of 2 x 2 pixels; a corner of the image is covered by one of them, its middle by four.
    covered = mixed.float().mean((0, 1))
    assert covered[[0, 0, 3, 3], [0, 3, 0, 3]].tolist() == pytest.approx([1 / 9] * 4, abs=0.02)
    assert covered[1, 1].item() == pytest.approx(4 / 9, abs=0.03)


# ---- saliency-mix ----


def test_saliency_mix_cuts_around_the_most_salient_pixel():
    # The one bright pixel is at row 1, column 6; lambda = 3/4 makes a box of 4 x 4 px, 2 either way.
    target, source = torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.full((1, 1, 8, 8), 7, dtype=torch.uint8)
    source[0, 0, 1, 6] = 200
    mixed, weight = mix("saliency-mix", target, source, mixing_of(3 / 4, (7, 0)))
    expected = torch.zeros(8, 8)
    expected[:3, 4:] = 7
    expected[1, 6] = 200
    assert torch.equal(mixed[0, 0].float(), expected) and weight.tolist() == [1 - 12 / 64]


def test_saliency_mix_is_cutmix_around_another_centre():
    target, source = random_images(0), random_images(1)
    drawn = draw_mixing(1, 0, (16, 6, 6), settings_of("saliency-mix"))
    most = torch.tensor([divmod(int(map_.argmax()), 6) for map_ in saliency(source)])
    expected = load("cutmix").mix(target, source, drawn._replace(centre=most), None)
    for found, wanted in zip(mix("saliency-mix", target, source, drawn), expected, strict=True):
        assert torch.equal(found, wanted)

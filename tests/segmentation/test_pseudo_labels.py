"""Pseudo-labels by ranks within classes, by features, and by the colours of an image."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from selfdoubt.models.classifier import build_model
from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation import activation_maps, colours, feature_maps, map_views, pseudo_labels
from selfdoubt.segmentation.map_views import MapViews

torch.set_num_threads(1)
CPU = torch.device("cpu")


def halves(n: int = 3, size_px: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Images whose left half is red and whose right half is blue, both with noise; and the left half as a mask."""
    images = np.random.default_rng(0).integers(0, 60, (n, 3, size_px, size_px), dtype=np.uint8)
    left = np.zeros((n, size_px, size_px), bool)
    left[:, :, : size_px // 2] = True
    images[:, 0] += np.where(left, 180, 0).astype(np.uint8)
    images[:, 2] += np.where(left, 0, 180).astype(np.uint8)
    return images, left


# ---- ranks ----


def test_ranks_within_a_class_by_hand():
    # Of four values the ranks are 1/8, 3/8, 5/8 and 7/8, whatever the values; at the quantile 1/2 they are the
    # probabilities, and at 3/4 their odds are a third: (1/7) / 3 = 1/21 and 7 / 3.
    maps = np.array([[[0.2, 0.1]], [[9, 8]], [[0.4, 0.3]], [[7, 6]]], np.float32)
    labels = np.array([0, 1, 0, 1])
    expected = np.array([[[3, 1]], [[7, 5]], [[7, 5]], [[3, 1]]]) / 8
    assert pseudo_labels.by_ranks(maps, labels, 0.5) == pytest.approx(expected)
    found = pseudo_labels.by_ranks(maps, labels, 0.75)
    assert found[0, 0, 1] == pytest.approx(1 / 22) and found[1, 0, 0] == pytest.approx(7 / 10)
    assert found.dtype == np.float32


# ---- colours ----


@pytest.mark.parametrize("channels", [1, 3])
def test_a_rough_guess_becomes_the_region_of_its_colour(channels):
    images, left = halves()
    images = images[:, :channels]
    guess = np.full(left.shape, 0.3, np.float32)
    guess[:, 4:20, 2:11] = 0.9  # a part of the left half
    found = colours.refine(guess, images, 5)
    assert found.shape == guess.shape and found.dtype == np.float32
    assert found[left].min() > 0.5 > found[~left].max()


def test_each_step_adds_to_what_is_given_at_most_three_nats_by_hand():
    # The object has 0.6 of its weight on the left, the rest 0.4, of which half is of the very colour. So the log-odds,
    # log 1.5, rise by log 0.301 / 0.201 in the first step, and by three in the end; on the right they fall as much.
    images = np.zeros((1, 1, 24, 24), np.uint8)
    images[..., :12] = 255
    given = np.where(images[:, 0] > 0, 0.6, 0.4).astype(np.float32)
    for n_steps, evidence in ((1, np.log(0.301 / 0.201)), (20, 3)):
        found = colours.refine(given, images, n_steps)[0]
        expected = 1 / (1 + np.exp(-np.log(1.5) - evidence))
        assert found[10, 4] == pytest.approx(expected, abs=1e-4)
        assert found[10, 19] == pytest.approx(1 - expected, abs=1e-4)


def test_colours_of_an_image_do_not_depend_on_the_others(monkeypatch):
    images, left = halves()
    images[1] = images[1].transpose(0, 2, 1)
    guess = np.random.default_rng(1).random(left.shape, dtype=np.float32)
    together = colours.refine(guess, images, 2)
    monkeypatch.setattr(colours, "_PIXELS", 1)
    assert colours.refine(guess, images, 2) == pytest.approx(together, abs=1e-5)


def test_the_frequencies_of_colours_by_hand():
    # Two pixels of bin 5 weigh 1 and 3, one of bin 9 weighs 4: each 4/8, of which a quarter goes to each neighbour.
    bins, weight = torch.tensor([[[5, 5, 9]]]), torch.tensor([[[1.0, 3.0, 4.0]]])
    found = colours._frequencies(bins, weight, 1)[0]
    assert found[[4, 5, 6, 8, 9, 10]].tolist() == pytest.approx([1 / 8, 1 / 4, 1 / 8] * 2) and found.sum() == 1


def test_a_filtered_map_is_a_line_in_the_colour_where_it_was_one():
    images = torch.rand(2, 3, 20, 20, generator=torch.Generator().manual_seed(0))
    maps = 0.2 + images[:, 0] * 0.5 - images[:, 2] * 0.3
    assert torch.allclose(colours._Guide(images).filter(maps), maps, atol=0.02)  # but for _FLAT


# ---- features ----


class Striped(nn.Module):
    """A classifier whose one layer has eight channels: of bright pixels these are large, of dark ones they vary."""

    def __init__(self):
        super().__init__()
        self.layer, self.input_pixels = nn.Identity(), 0
        self.register_buffer("mean", torch.zeros(1, 1, 1))
        self.register_buffer("std", torch.ones(1, 1, 1))
        self.scale = nn.Parameter(torch.ones(()))

    def cam_layers(self) -> list[nn.Module]:
        return [self.layer]

    def body(self, images: torch.Tensor) -> torch.Tensor:
        bright = (images > 0.5).float()
        return self.layer(torch.cat([9 * bright * self.scale, 1 - bright, images * 0], 1)).flatten(1)


def test_features_part_an_image_and_the_more_active_side_is_the_object():
    images = np.zeros((2, 1, 8, 8), np.uint8)
    images[0, 0, :, :3] = images[1, 0, 5:] = 255  # the bright part, smaller than the rest
    for views in (MapViews([1.0]), MapViews([1.0, 2.0], upside_down=True)):
        maps = feature_maps.feature_maps(Striped(), images, views)
        assert maps.shape == (2, 8, 8) and maps.dtype == np.float32
        assert (maps[0, :, :3] > 0.5).all() and (maps[0, :, 3:] < 0.5).all()
        assert (maps[1, 5:] > 0.5).all() and (maps[1, :5] < 0.5).all()


def test_first_components_are_those_of_a_decomposition():
    features = torch.randn(3, 5, 4, 6, generator=torch.Generator().manual_seed(0))
    rows = torch.nn.functional.normalize(features.flatten(2).mT, dim=2)
    rows = rows - rows.mean(1, keepdim=True)
    like = torch.rand(3, 4, 6, generator=torch.Generator().manual_seed(1))
    for found in (
        feature_maps._first_component(features, like),
        feature_maps._first_component(features[..., :1], like[..., :1]),
    ):
        assert found.flatten(1).std(1, correction=0).tolist() == pytest.approx([1] * 3, abs=1e-4)
    expected = (rows @ torch.linalg.svd(rows).Vh[:, 0, :, None])[..., 0]
    found = feature_maps._first_component(features, like).flatten(1)
    assert torch.corrcoef(torch.stack([found[0], expected[0]]))[0, 1].abs() == pytest.approx(1, abs=1e-4)
    assert ((found * (like.flatten(1) - like.flatten(1).mean(1, keepdim=True))).sum(1) > 0).all()


def test_without_a_layer_wide_enough_the_teacher_is_named():
    with pytest.raises(UserError, match="teacher: no layer's map"):
        feature_maps.feature_maps(Striped(), np.zeros((1, 1, 3, 3), np.uint8), MapViews([1.0]))


# ---- views ----


def test_maps_of_mirrored_images_are_mirrored_and_scales_count():
    model = build_model(SimpleNamespace(family="convnet", widths=[4, 6]), n_classes=3, channels=2, size_px=16)
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 16, 16), dtype=np.uint8)
    labels = np.array([0, 1, 2, 0])
    for of in (
        lambda images, views: activation_maps.activation_maps(model, images, labels, views),
        lambda images, views: feature_maps.feature_maps(model, images, views),
    ):
        for views, axis in ((MapViews([1.0, 1.5]), 2), (MapViews([1.0], upside_down=True), 1)):
            maps, flipped = of(images, views), of(np.flip(images, axis + 1).copy(), views)
            assert maps == pytest.approx(np.flip(flipped, axis), abs=1e-5)
            assert np.abs(of(images, MapViews([1.0])) - maps).max() > 0.01


def test_a_network_of_an_input_size_of_its_own_is_looked_at_in_units_of_that():
    seen = []
    model = SimpleNamespace(input_pixels=20 * 20, mean=0.0, std=1.0, body=lambda images: seen.append(images) or images)
    map_views.mean_over(
        lambda look, images: look(images).mean((2, 3))[..., None], model, torch.rand(1, 1, 10, 10), MapViews([1.0, 1.5])
    )
    assert [images.shape[2] for images in seen] == [20, 20, 30, 30]


def test_a_network_that_enlarges_images_is_given_fewer_at_once(monkeypatch):
    model = build_model(SimpleNamespace(family="convnet", widths=[4, 6]), n_classes=3, channels=1, size_px=16)
    model._network, seen = replace(model._network, input_size=(32, 32)), []
    model.body.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    monkeypatch.setattr(map_views, "_MAP_PIXELS", 2 * 32 * 32)
    activation_maps.activation_maps(model, np.zeros((5, 1, 16, 16), np.uint8), np.zeros(5, int))
    assert seen == [(2, 1, 32, 32), (2, 1, 32, 32), (1, 1, 32, 32)]


# ---- pseudo-labels ----


def test_settings_decide_what_is_learned_from():
    images, _ = halves(6)
    model = build_model(SimpleNamespace(family="convnet", widths=[4, 6]), n_classes=2, channels=3, size_px=24)
    plain = {"refinement_steps": 2, "foreground_above": 0.6, "background_below": 0.3}
    labels = np.array([0, 1] * 3)
    maps = activation_maps.refine(activation_maps.activation_maps(model, images, labels), images, 2)
    found = pseudo_labels.of_teacher(model, images, labels, SimpleNamespace(**plain), CPU)
    np.testing.assert_array_equal(found, activation_maps.pseudo_labels(maps, 0.6, 0.3))
    seen = {found.tobytes()}
    for change in (
        {"map_scales": [1.5]},
        {"map_upside_down": True},
        {"maps": "features"},
        {"object_quantile": 0.7},
        {"colour_steps": 2},
    ):
        plain |= change
        seen.add(pseudo_labels.of_teacher(model, images, labels, SimpleNamespace(**plain), CPU).tobytes())
    assert len(seen) == 6

"""Networks take pixels in [0, 1] and do the rest themselves."""

from types import SimpleNamespace

import pytest
import torch
from helpers import assert_close
from torch import nn

from selfdoubt.models.classifier import Classifier, build_model
from selfdoubt.runtime.errors import UserError

torch.set_num_threads(1)
CONVNET = SimpleNamespace(family="convnet", widths=[2, 3, 4])
RESNET = SimpleNamespace(family="resnet-cifar", depth=8)
WIDE = SimpleNamespace(family="wide-resnet", depth=10, widen_factor=1, dropout=0.1)


def timm_network(name: str) -> SimpleNamespace:
    return SimpleNamespace(family="timm", name=name, pretrained=False, patch_px=4, input_px="data")


TIMM = timm_network("test_resnet")
FAMILIES = pytest.mark.parametrize("network", [CONVNET, RESNET, WIDE, TIMM], ids=lambda network: network.family)


def build(network=CONVNET, channels: int = 1, size_px: int = 16, seed: int = 0) -> Classifier:
    return build_model(network, n_classes=3, channels=channels, size_px=size_px, seed=seed)


def images(n: int = 8, channels: int = 1, size_px: int = 16) -> torch.Tensor:
    """Noise in [0, 1], blurred so that neighbouring pixels are correlated."""
    noise = torch.rand(n, channels, size_px + 2, size_px + 2, generator=torch.Generator().manual_seed(n))
    return nn.functional.avg_pool2d(noise, 3, stride=1)


def weights_of(model: nn.Module) -> torch.Tensor:
    return torch.cat([weight.flatten() for weight in model.parameters()])


def maps_of(model: Classifier, pixels: torch.Tensor) -> list[torch.Tensor]:
    """What the layers of class activation maps put out."""
    found = []
    hooks = [layer.register_forward_hook(lambda _, __, out: found.append(out)) for layer in model.cam_layers()]
    with torch.no_grad():
        model(pixels)
    for hook in hooks:
        hook.remove()
    return found


# ---- normalisation ----


def test_normalisation_by_hand():
    # Half of the first channel is 0, half 1: mean 1/2, variance 16 (1/2)^2 / (16 - 1). The second is constant.
    model, pixels = build(channels=2), torch.full((1, 2, 4, 4), 0.25)
    pixels[0, 0, :2], pixels[0, 0, 2:] = 0, 1
    model.fit_input(pixels)
    assert model.mean.flatten().tolist() == [0.5, 0.25]
    assert model.std.flatten().tolist() == pytest.approx([(4 / 15) ** 0.5, 1e-3])
    assert model.body.whitening.weight.isfinite().all()


def test_the_body_gets_normalised_pixels():
    model, seen = build(), []
    model.fit_input(images())
    model.body.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(images())
    assert seen[0].mean().item() == pytest.approx(0, abs=1e-5)
    assert seen[0].std().item() == pytest.approx(1, abs=1e-5)


@FAMILIES
def test_a_model_fitted_to_darker_images_answers_them_alike(network):
    answers = []
    for pixels in (images(), 0.5 * images() + 0.1):
        model = build(network).eval()
        model.fit_input(pixels)
        answers.append(model(pixels))
    assert_close(*answers, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_whitening_makes_patches_uncorrelated_and_of_unit_variance(channels):
    model, pixels = build(channels=channels), images(64, channels)
    model.fit_input(pixels)
    out = model.body.whitening((pixels - model.mean) / model.std)  # (64, 2 * 4 * channels, 15, 15)
    half = 4 * channels
    assert_close(out[:, :half], -out[:, half:])
    covariance = torch.cov(out[:, :half].transpose(0, 1).flatten(1))
    assert_close(covariance, torch.eye(half), atol=0.05, rtol=0)
    before = torch.cov(nn.functional.unfold(pixels, 2).transpose(0, 1).flatten(1))
    assert before[0, 1] > 0.4 * before[0, 0]  # there was something to do


def test_whitening_is_fitted_and_not_trained():
    model = build()
    assert [name for name, weight in model.named_parameters() if not weight.requires_grad] == ["body.whitening.weight"]


# ---- weights ----


@FAMILIES
def test_equal_seeds_give_equal_weights_and_others_do_not(network):
    one = weights_of(build(network, seed=1))
    torch.rand(7)  # what was drawn before does not matter
    assert torch.equal(weights_of(build(network, seed=1)), one)
    assert not torch.equal(weights_of(build(network, seed=2)), one)


def test_torchs_global_generator_is_left_alone():
    state = torch.get_rng_state()
    build()
    build(TIMM)
    assert torch.equal(torch.get_rng_state(), state)


# ---- answers ----


@FAMILIES
@pytest.mark.parametrize(("channels", "size_px"), [(1, 28), (3, 32)])
def test_every_family_gives_logits_and_learns(network, channels, size_px):
    model = build(network, channels, size_px)
    pixels = images(2, channels, size_px)
    logits = model(pixels)
    assert logits.shape == (2, 3) and logits.dtype == torch.float32 and logits.isfinite().all()
    for weight in model.parameters():  # away from the zeros that some blocks start with
        weight.data += 0.01 * torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    model(pixels).square().sum().backward()
    learning = {name: weight.grad for name, weight in model.named_parameters() if weight.requires_grad}
    assert all(gradient.isfinite().all() and gradient.any() for gradient in learning.values())


@FAMILIES
def test_every_family_names_its_head_and_its_maps(network):
    model = build(network, size_px=32).eval()
    weights = dict(model.named_parameters())
    assert {weights[name].shape[0] for name in model.head_names()} == {3}
    maps = maps_of(model, images(2, 1, 32))
    sides = [found.shape[2] for found in maps]
    assert len(maps) >= 3 and all(found.ndim == 4 for found in maps)
    assert sides == sorted(sides, reverse=True) and sides[-1] <= 16


@FAMILIES
def test_a_pixel_of_the_image_has_a_gradient(network):
    pixels = images(2, 1, 32).requires_grad_()
    build(network, size_px=32).eval()(pixels)[:, 0].sum().backward()
    assert pixels.grad.abs().mean((0, 1)).count_nonzero() > 900  # of 1,024


@pytest.mark.parametrize("channels", [1, 3])
def test_convnets_give_logits(channels):
    for size_px in (9, 16, 28):
        logits = build(channels=channels, size_px=size_px)(images(2, channels, size_px))
        assert logits.shape == (2, 3) and logits.dtype == torch.float32


def test_logits_are_float32_under_autocast():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert build().eval()(images()).dtype == torch.float32


def test_logits_are_a_ninth_of_the_head_of_the_global_maximum():
    model = build().eval()
    maxima = maps_of(model, images())[-1].amax((2, 3))  # (n, 4)
    assert_close(model(images()), maxima @ model.body.head.weight.T / 9)


@pytest.mark.parametrize(("widths", "size_px"), [([2, 3, 4], 8), ([2], 2), ([2, 2, 2, 2, 2], 32)])
def test_a_convnet_too_deep_for_its_images_is_named(widths, size_px):
    needed = 2 ** len(widths) + 1
    network = SimpleNamespace(family="convnet", widths=widths)
    with pytest.raises(UserError, match=f"a convnet of {len(widths)} blocks needs images of {needed} px or more"):
        build(network, size_px=size_px)
    assert build(network, size_px=needed).eval()(images(1, 1, needed)).shape == (1, 3)


# ---- layers of class activation maps ----


def test_maps_of_a_convnet_go_from_shallow_to_deep():
    maps = maps_of(build(size_px=28).eval(), images(2, 1, 28))
    assert [tuple(each.shape) for each in maps] == [(2, 2, 13, 13), (2, 3, 6, 6), (2, 4, 3, 3)]

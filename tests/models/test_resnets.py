"""Residual networks have the layers, parameters and shapes of their papers' tables."""

from types import SimpleNamespace

import pytest
import torch

from selfdoubt.models.classifier import build_model
from selfdoubt.models.families.resnet_cifar import _Block
from selfdoubt.models.families.wide_resnet import WideResNet

torch.set_num_threads(1)


def network_of(family: str, *values) -> SimpleNamespace:
    keys = {"resnet-cifar": ("depth",), "wide-resnet": ("depth", "widen_factor")}[family]
    return SimpleNamespace(family=family, dropout=0.0, **dict(zip(keys, values, strict=True)))


def build(family: str, *values, size_px: int = 32):
    return build_model(network_of(family, *values), n_classes=10, channels=3, size_px=size_px)


@pytest.mark.parametrize(
    ("family", "values", "millions"),
    [
        ("resnet-cifar", (20,), "0.27"),  # He et al. 2016, table 6
        ("resnet-cifar", (32,), "0.46"),
        ("resnet-cifar", (44,), "0.66"),
        ("resnet-cifar", (56,), "0.85"),
        ("resnet-cifar", (110,), "1.7"),
        ("wide-resnet", (40, 1), "0.6"),  # Zagoruyko & Komodakis 2016, table 4
        ("wide-resnet", (40, 2), "2.2"),
        ("wide-resnet", (40, 4), "8.9"),
        ("wide-resnet", (16, 8), "11.0"),
        ("wide-resnet", (28, 10), "36.5"),
        ("wide-resnet", (16, 4), "2.7"),  # table 2 of Zagoruyko & Komodakis 2017, "Paying more attention to attention"
    ],
)
def test_as_many_parameters_as_in_the_paper(family, values, millions):
    with torch.device("meta"):
        count = sum(weight.numel() for weight in build(family, *values).parameters()) / 1e6
    digits = len(millions.partition(".")[2])
    assert f"{count:.{digits}f}" == millions


@pytest.mark.parametrize(("family", "depth", "n_convolutions"), [("resnet-cifar", 20, 19), ("wide-resnet", 16, 13)])
def test_depth_counts_the_3x3_convolutions_and_the_head(family, depth, n_convolutions):
    # A wide ResNet's depth of 6n + 4 also counts the three shortcuts: 6 * 2 + 1 convolutions, the head, not 16.
    model = build(family, *([depth] if family == "resnet-cifar" else [depth, 1]))
    convolutions = [m for m in model.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (3, 3)]
    assert len(convolutions) == n_convolutions


def test_maps_are_halved_twice_and_widened():
    seen = []
    model = build("resnet-cifar", 8, size_px=28).eval()
    for layer in model.cam_layers():
        layer.register_forward_hook(lambda _, __, out: seen.append(tuple(out.shape[1:])))
    model(torch.rand(1, 3, 28, 28))
    assert seen == [(16, 28, 28), (32, 14, 14), (64, 7, 7)]


def test_a_shortcut_drops_every_second_pixel_and_adds_channels_of_zeros():
    # With all weights 0 only the shortcut is left; what goes through it is positive, so relu changes nothing.
    block = _Block(2, 4, stride=2).eval()
    for weight in block.parameters():
        torch.nn.init.zeros_(weight)
    x = torch.arange(1.0, 51).view(1, 2, 5, 5)
    found = block(x)
    assert torch.equal(found[:, :2], x[:, :, ::2, ::2]) and not found[:, 2:].any() and found.shape == (1, 4, 3, 3)


def test_dropout_acts_in_training_alone():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        body, x = WideResNet(1, 1, 0.5, 3, 1), torch.rand(2, 1, 8, 8)
        for module in body.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.0  # so that two passes differ by dropout alone
        assert not torch.equal(body.train()(x), body(x))
        assert torch.equal(body.eval()(x), body(x))

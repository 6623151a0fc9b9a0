"""Networks of segmentation-models-pytorch: which there are, and that their maps lie on their images."""

from contextlib import suppress
from itertools import product
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from selfdoubt.runtime.errors import UserError
from selfdoubt.segmentation import networks
from selfdoubt.settings.architectures import ARCHITECTURES, check_depth


def settings(**changed) -> SimpleNamespace:
    small = {"architecture": "Unet", "encoder": "resnet18", "encoder_depth": 2, "decoder_channels": [8, 4]}
    return SimpleNamespace(**small | changed)


class Echo(nn.Module):
    """A network whose maps are its images, at another size."""

    def __init__(self, scale: float, stride: int = 8):
        super().__init__()
        self.scale, self.encoder = scale, SimpleNamespace(output_stride=stride)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images if self.scale == 1 else F.interpolate(images, scale_factor=self.scale, mode="nearest")


def test_what_is_padded_is_cut_off_again():
    images = torch.rand(2, 1, 5, 9)  # padded to 8 x 16
    assert torch.equal(networks.padded(Echo(1), images), images)


@pytest.mark.parametrize("scale", [4.0, 2.0, 0.5])
def test_maps_of_another_size_are_resized_and_not_cut(scale):
    images = torch.zeros(1, 1, 30, 42)
    images[..., 4:12, 20:36] = 1  # padded to 32 x 48
    found = networks.padded(Echo(scale), images) > 0.5
    assert found.shape == images.shape and (found != (images > 0.5)).sum() <= 48  # at most the pixels of an edge


def networks_of_every_depth():
    for architecture, depth in product(ARCHITECTURES, range(1, 6)):
        with suppress(ValueError):  # which the config refuses
            check_depth(architecture, depth)
            if architecture != "PAN" or depth < 4:  # which takes larger images alone
                yield architecture, depth


@pytest.mark.parametrize(("architecture", "depth"), [*networks_of_every_depth()])
def test_every_network_that_the_config_allows_gives_maps_of_its_images_size(architecture, depth):
    chosen = settings(architecture=architecture, encoder_depth=depth, decoder_channels=[8] * depth)
    network = networks.build(chosen, 3, 1, 0, "segmenters").eval()
    assert networks.padded(network, torch.rand(1, 3, 60, 92)).shape == (1, 1, 60, 92)


@pytest.mark.parametrize(
    ("architecture", "depth"), [("FPN", 2), ("PAN", 2), ("UPerNet", 1), ("Segformer", 2), ("UnetPlusPlus", 1)]
)
def test_depths_that_a_decoder_cannot_have_are_refused_before_a_run(architecture, depth):
    with pytest.raises(ValueError, match=f"{architecture} needs {2 if architecture == 'UnetPlusPlus' else 3} or more"):
        check_depth(architecture, depth)


def test_images_that_a_network_cannot_take_are_named():
    chosen = settings(architecture="PAN", encoder_depth=5, decoder_channels=[8] * 5)
    network = networks.build(chosen, 3, 1, 0, "segmenters")
    with pytest.raises(UserError, match="segmenters: the network cannot take 64 x 64 px"):
        networks.freeze_unused(network, torch.rand(1, 3, 64, 64), "segmenters")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"architecture": "UNet"}, "'UNet' is not one of Unet,"),
        ({"encoder": "regnetx_002"}, "near it: tu-regnetx_002"),
        ({"encoder": "resnet81"}, "near it: .*resnet18"),
        ({"decoder_channels": [8]}, "cannot build Unet with .*decoder_channels"),
    ],
)
def test_a_network_that_cannot_be_built_is_the_users_fault(changed, message):
    with pytest.raises(UserError, match=message):
        networks.build(settings(**changed), 1, 1, 0, "segmenters")

"""Settings of residual networks for images of about 32 px (He et al. 2016, section 4.2)."""

from typing import Literal

from selfdoubt.settings.bases import FromFile, depth_of_6n_plus
from selfdoubt.settings.types import Strict


class Settings(Strict):
    family: Literal["resnet-cifar"]
    depth: depth_of_6n_plus(2)
    shortcuts: Literal["padding", "padding-around", "projection"] = "padding"  # where the width changes


class Pretrained(FromFile, Settings):
    """With the weights of a file."""

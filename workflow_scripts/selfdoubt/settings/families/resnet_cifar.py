"""Settings of residual networks for images of about 32 px (He et al. 2016, section 4.2)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import FromFile, NetworkSize, depth_of_6n_plus, size_of_three_stages
from selfdoubt.settings.types import Strict


class Settings(Strict):
    family: Literal["resnet-cifar"]
    depth: depth_of_6n_plus(2)  # layers, 6n + 2
    shortcuts: Literal["padding", "padding-around", "projection"] = "padding"  # where the width changes

    n_features: ClassVar = 64

    def size(self) -> NetworkSize:
        return size_of_three_stages(self.depth // 3, 1)


class Pretrained(FromFile, Settings):
    """With the weights of a file."""

"""Settings of wide residual networks for images of about 32 px (Zagoruyko & Komodakis 2016)."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import FromFile, NetworkSize, depth_of_6n_plus, size_of_three_stages
from selfdoubt.settings.types import BelowOne, Strict


class Settings(Strict):
    family: Literal["wide-resnet"]
    depth: depth_of_6n_plus(4)  # layers, 6n + 4
    widen_factor: Annotated[int, Field(ge=1, le=1000)]  # times the widths 16, 32 and 64
    dropout: BelowOne = 0.0  # between the two convolutions of a block

    @property
    def n_features(self) -> int:
        return 64 * self.widen_factor

    def size(self) -> NetworkSize:
        return size_of_three_stages(self.depth // 3, self.widen_factor)


class Pretrained(FromFile, Settings):
    """With the weights of a file."""

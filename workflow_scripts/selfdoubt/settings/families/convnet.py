"""Settings of the small convolutional network for small images."""

from typing import Literal

from pydantic import Field

from selfdoubt.settings.bases import NetworkSize
from selfdoubt.settings.types import Channels, Strict


class Settings(Strict):
    family: Literal["convnet"]
    widths: list[Channels] = Field(min_length=1)  # channels of each block

    @property
    def n_features(self) -> int:
        return self.widths[-1]

    def size(self) -> NetworkSize:
        pairs = zip([24, *self.widths], self.widths, strict=False)  # 24 filters whiten the patches of RGB
        parameters = sum(9 * (n_in + n_out) * n_out for n_in, n_out in pairs)
        kept = 48 + sum(2.6 * width / 4**i for i, width in enumerate(self.widths))
        return NetworkSize(parameters, 2 * (24 + self.widths[0]), round(kept))

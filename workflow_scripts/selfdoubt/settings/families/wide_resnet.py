"""Settings of wide residual networks for images of about 32 px (Zagoruyko & Komodakis 2016)."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import FromFile, depth_of_6n_plus
from selfdoubt.settings.types import BelowOne, Strict


class Settings(Strict):
    family: Literal["wide-resnet"]
    depth: depth_of_6n_plus(4)
    widen_factor: Annotated[int, Field(ge=1, le=1000)]
    dropout: BelowOne = 0.0


class Pretrained(FromFile, Settings):
    """With the weights of a file."""

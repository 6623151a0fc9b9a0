"""Settings of background swap."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import ByMasks

Pixels = Annotated[int, Field(ge=0, le=64)]


class Settings(ByMasks):
    method: Literal["background-swap"]
    dilate_px: Pixels = 0  # of both masks
    feather_px: Pixels = 0  # over which the object's edge becomes the background, outside of its mask
    background: Literal["painted", "noise"] = "painted"  # noise: its pixels in a random order, a control

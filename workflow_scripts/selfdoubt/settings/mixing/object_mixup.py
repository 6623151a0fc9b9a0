"""Settings of object mixup."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import ByMasks
from selfdoubt.settings.types import Positive


class Settings(ByMasks):
    method: Literal["object-mixup"]
    alpha: Positive  # lambda ~ Beta(alpha, alpha)
    dilate_px: Annotated[int, Field(ge=0, le=64)] = 0  # of both masks

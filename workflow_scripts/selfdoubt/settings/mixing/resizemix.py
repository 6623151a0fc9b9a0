"""Settings of ResizeMix (Qin et al. 2020)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.bases import Mixing, not_below_min_scale


class Settings(Mixing):
    method: Literal["resizemix"]
    min_scale: Annotated[float, Field(gt=0, le=1)]  # of the image's sides
    max_scale: Annotated[float, Field(gt=0, le=1), AfterValidator(not_below_min_scale)]  # of the image's sides

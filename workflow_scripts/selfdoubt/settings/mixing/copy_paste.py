"""Settings of copy-paste (Ghiasi et al. 2021)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.bases import AnyObjectLabels, ByObjects, not_below_min_scale

Scale = Annotated[float, Field(gt=0, le=4)]


class Settings(ByObjects):
    method: Literal["copy-paste"]
    min_scale: Scale  # of the object's sides
    max_scale: Annotated[Scale, AfterValidator(not_below_min_scale)]  # of the object's sides
    labels: AnyObjectLabels | Literal["pixel-area"] = "object-area"

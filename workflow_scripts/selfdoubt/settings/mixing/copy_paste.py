"""Settings of copy-paste (Ghiasi et al. 2021)."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from selfdoubt.settings.bases import AnyObjectLabels, ByObjects

Scale = Annotated[float, Field(gt=0, le=4)]


class Settings(ByObjects):
    method: Literal["copy-paste"]
    min_scale: Scale  # of the object's sides
    max_scale: Scale
    labels: AnyObjectLabels | Literal["pixel-area"] = "object-area"

    @field_validator("max_scale")
    @classmethod
    def _is_a_range(cls, max_scale: float, others: ValidationInfo) -> float:
        if max_scale < others.data.get("min_scale", 0):
            raise ValueError(f"{max_scale} is below min_scale {others.data['min_scale']}; swap them")
        return max_scale

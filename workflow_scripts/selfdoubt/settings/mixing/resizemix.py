"""Settings of ResizeMix (Qin et al. 2020)."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from selfdoubt.settings.bases import Mixing


class Settings(Mixing):
    method: Literal["resizemix"]
    min_scale: Annotated[float, Field(gt=0, le=1)]  # of the image's sides
    max_scale: Annotated[float, Field(gt=0, le=1)]

    @field_validator("max_scale")
    @classmethod
    def _is_a_range(cls, max_scale: float, others: ValidationInfo) -> float:
        if max_scale < others.data.get("min_scale", 0):
            raise ValueError(f"{max_scale} is below min_scale {others.data['min_scale']}; swap them")
        return max_scale

"""Settings of test-time augmentation."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.bases import Enhancer


class Settings(Enhancer):
    method: Literal["tta"]
    n_views: Annotated[int, Field(ge=2, le=1000)]  # the clean image is one
    shift_px: list[Annotated[int, Field(ge=0, le=1024)]] = Field(min_length=1)  # largest shift along each axis
    flip: bool  # whether views are mirrored with probability 1/2

    @model_validator(mode="after")
    def _has_views(self) -> Self:
        if 0 in self.shift_px and not self.flip:
            raise ValueError("a shift_px of 0 without flip makes all views the clean image; raise it, or flip")
        return self

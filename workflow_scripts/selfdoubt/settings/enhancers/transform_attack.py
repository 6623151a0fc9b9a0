"""Settings of the logistic model of steps among transformations, and of clean logits."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.bases import Enhancer
from selfdoubt.settings.types import Positive

_OF_AFFINE = ("rotation_degrees", "scale_percent", "shear_percent")


class Settings(Enhancer):
    method: Literal["transform-attack"]
    space: Literal["affine", "flow"]  # affine: of the whole image; flow: a smooth field of shifts
    # gradient: of the prediction's log-odds; random: signs at random, the control
    direction: Literal["gradient", "random"]
    eta: list[Positive] = Field(min_length=1)  # by which the sizes of steps are multiplied
    shift_px: Annotated[float, Field(ge=0, le=1024)]  # of flow: of each point of the grid, along each axis
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] | None = None  # of a step, of affine
    # of a step, of affine: enlarged by it, or reduced by the inverse factor
    scale_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    # of a step, of affine: px to the side for each 100 px down
    shear_percent: Annotated[float, Field(ge=0, le=100)] | None = None
    grid_size: Annotated[int, Field(ge=2, le=64)] | None = None  # points along each axis of the field
    l2_penalty: list[Positive] = Field(min_length=1)
    n_folds: Annotated[int, Field(ge=2, le=1000)]  # of val

    @model_validator(mode="after")
    def _has_the_sizes_of_its_space(self) -> Self:
        needed, other = _OF_AFFINE, ("grid_size",)
        if self.space == "flow":
            needed, other = other, needed
        missing = [key for key in needed if getattr(self, key) is None]
        if missing:
            raise ValueError(f"needs {' and '.join(missing)} in the space {self.space}; add what is missing")
        if given := [key for key in other if getattr(self, key) is not None]:
            raise ValueError(f"has no {' or '.join(given)} in the space {self.space}; remove it")
        if not any(getattr(self, key) for key in ("shift_px", *needed) if key != "grid_size"):
            raise ValueError("takes no step where all sizes are 0; raise one, such as shift_px")
        return self

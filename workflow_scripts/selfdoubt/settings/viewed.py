"""Settings common to the protocols whose members predict several views of an image."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.bases import Protocol
from selfdoubt.settings.types import Epsilon

_NEEDED = {"shifts": ("shift_px", "flip"), "noise": ("noise_255",)}


class ViewedProtocol(Protocol):
    """A group whose members predict random views: images shifted and flipped, or with noise as the control of that."""

    runs_models: ClassVar[bool] = True
    n_views: Annotated[int, Field(ge=2, le=1000)]  # the clean image is one
    views: Literal["shifts", "noise"] = "shifts"  # shifts: images shifted and flipped; noise: the control of that
    shift_px: Annotated[int, Field(ge=0, le=1024)] | None = None  # of views: shifts, at most
    flip: bool | None = None  # whether they are mirrored, half of them
    noise_255: Epsilon | None = None  # of views: noise, its deviation

    @model_validator(mode="after")
    def _has_views(self) -> Self:
        for views, keys in _NEEDED.items():
            for key in keys:
                if (getattr(self, key) is None) == (views == self.views):
                    what = "is missing; add it" if views == self.views else f"is of views: {views}; remove it"
                    raise ValueError(f"`{key}` {what}")
        if self.shift_px == 0 and not self.flip:
            raise ValueError("a shift_px of 0 without flip makes all views the clean image; raise it, or flip")
        return self

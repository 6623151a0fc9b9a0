"""Types of `datasets` and `ood_sets`."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.types import Count, Name, Strict


class Corruptions(Strict):
    names: list[Literal["gaussian-noise", "gaussian-blur", "contrast", "rotation"]] = Field(min_length=1)
    severities: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=1)
    n_images: Count


class Dataset(Strict):
    source: str = Field(pattern=r"^embedded:[a-z0-9-]+$")
    mask_truth: Literal["nonzero-pixels", "none"] = "none"
    ood: list[Name] = []
    corruptions: Corruptions | None = None


class OodSet(Strict):
    source: Literal["sklearn:digits"]

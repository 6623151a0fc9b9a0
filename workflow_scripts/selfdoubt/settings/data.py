"""Types of `datasets` and `ood_sets`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.published import BY_PATH, COMPOSED_OF, KINDS
from selfdoubt.settings.types import Count, Name, Positive, Strict


def _checked_source(source: str) -> str:
    """Return a source if it is written as one; raises ValueError with what could stand there."""
    kind, colon, place = source.partition(":")
    if kind in BY_PATH and not place:
        raise ValueError(f"{kind} needs the path of your copy: {kind}:PATH")
    if source != "sklearn:digits" and (kind not in KINDS or bool(colon) != bool(place) or source == "embedded"):
        raise ValueError(f"'{source}' is not a source; choose from {', '.join(KINDS)}, or sklearn:digits for ood_sets")
    return source


def has_masks(source: str) -> bool:
    """Return whether images of a source may come with masks."""
    kind, _, name = source.partition(":")
    return kind in ("folder", "parquet") or (kind == "embedded" and name not in COMPOSED_OF.values())


Source = Annotated[str, AfterValidator(_checked_source)]
HalfAtMost = Annotated[float, Field(gt=0, le=0.5)]


BUILT_IN = ("gaussian-noise", "gaussian-blur", "brightness", "contrast", "jpeg", "pixelate", "elastic", "rotation")


class Corruptions(Strict):
    source: Annotated[str, Field(pattern=r"^(built-in|cifar-c:.+|imagenet-c:.+)$")] = "built-in"
    names: list[Name] = Field(min_length=1)
    severities: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=1)
    n_images: Count | None = None  # class-balanced, the same for every corruption; None: all, of published ones


class Dataset(Strict):
    source: Source
    size_px: Annotated[int, Field(ge=8, le=1024)] | None = None  # None: as the images are, if they are all alike
    channels: Literal[1, 3] | None = None  # None: as the first training image has them
    storage: Literal["arrays", "files"] = "arrays"
    max_gb: Positive = 4.0  # of one split as an array
    val_fraction: HalfAtMost = 0.1  # of train, where the source has no val
    test_fraction: HalfAtMost = 0.2  # of train, where the source has no test
    split_seed: Annotated[int, Field(ge=0)] = 0
    mask_truth: Literal["nonzero-pixels", "given", "none"] = "none"
    ood: list[Name] = []
    corruptions: Corruptions | None = None
    shifted: dict[Name, Annotated[str, Field(pattern=r"^numpy:.+\.np[yz]$")]] = {}  # re-collected test sets


class OodSet(Strict):
    source: Source
    split: Literal["train", "val", "test"] = "test"  # of the source, where it has one
    n_images: Count | None = None  # drawn from it; None: all
    overlap: str = ""  # what it has in common with the data sets, for the report

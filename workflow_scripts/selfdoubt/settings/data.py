"""Types of `datasets` and `ood_sets`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from selfdoubt.runtime.methods import names_in
from selfdoubt.settings import catalog
from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.predictions import PeoplesFile
from selfdoubt.settings.registry import FOLDERS
from selfdoubt.settings.types import Count, Licence, Name, Positive, Strict

BUILT_IN = names_in(FOLDERS["corruptions"])


def _checked_corruptions(source: str) -> str:
    """Return a source of corrupted images; raises ValueError if it is neither built in nor a published format."""
    return source if source == "built-in" else _checked_shift(source, True, ["built-in"])


def _checked_recollected(source: str) -> str:
    """Return the source of a re-collected test set; raises ValueError if it is none."""
    return _checked_shift(source, False, [])


def _checked_shift(source: str, corrupted: bool, others: list[str]) -> str:
    """Return a source that is a module of `settings.shifts`, of those that hold corruptions or of the others."""
    formats = [n for n in names_in("settings.shifts") if corrupted == catalog.settings_of(n, "shifts").CORRUPTED]
    name = source.partition(":")[0]
    if name not in formats:
        raise ValueError(not_one_of(name, [*others, *formats], "a source here"))
    return catalog.checked(source, "shifts")


Source = Annotated[str, AfterValidator(catalog.checked)]
HalfAtMost = Annotated[float, Field(gt=0, le=0.5)]


class Corruptions(Strict):
    source: Annotated[str, AfterValidator(_checked_corruptions)] = "built-in"  # or published: docs/corruptions.md
    names: list[Name] = Field(min_length=1)  # docs/corruptions.md
    severities: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=1)  # 5: the strongest
    n_images: Count | None = None  # class-balanced, the same of every corruption; None: all, of published ones


class Dataset(Strict):
    source: Source  # docs/datasets.md has every kind
    size_px: Annotated[int, Field(ge=8, le=1024)] | None = None  # None: as the images are, if they are all alike
    channels: Literal[1, 3] | None = None  # None: as the first training image has them
    storage: Literal["arrays", "files"] = "arrays"  # files: images are decoded when they are needed
    max_gb: Positive = 4.0  # of one split as an array
    val_fraction: HalfAtMost = 0.1  # of train, where the source has no val
    val_from: Literal["train", "test"] = "train"  # test: of networks that others trained on all of train
    test_fraction: HalfAtMost = 0.2  # of train, where the source has no test
    test_images: Count | None = None  # as many of test, in the classes' proportions; None: all
    split_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0  # of the draws of val and test
    # in the classes' proportions; None: each has all of train
    train_images_per_replicate: Annotated[int, Field(ge=2, lt=2**31)] | None = None
    overlapping_draws: bool = False  # of those images from all of train; False: no two replicates have one in common
    mask_truth: Literal["nonzero-pixels", "given", "none"] = "none"
    ood: list[Name] = []
    corruptions: Corruptions | None = None  # of images of test
    soft_labels: PeoplesFile = None  # a file with the labels of several people of test; given: of the source
    shifted: dict[Name, Annotated[str, AfterValidator(_checked_recollected)]] = {}  # re-collected test sets
    licence: Licence = None  # of the images, for the report; None: what is known of published ones


class OodSet(Strict):
    source: Source  # as of data sets
    split: Literal["train", "val", "test"] = "test"  # of the source, where it has one
    n_images: Count | None = None  # drawn from it; None: all
    overlap: str = ""  # what it has in common with the data sets, for the report
    licence: Licence = None  # as of datasets

"""Types of `predictions`, models of which others made the predictions, and of data sets of which nothing else is known.

datasets: { cifar10: { source: predictions, val_fraction: 0.5 } }
predictions: { wrn-28-10: { test: "{data_folder}/wrn.npz" }, vgg: { test: "{data_folder}/{dataset}/vgg.csv" } }
"""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from selfdoubt.settings.types import BelowOne, Licence, Name, OwnLabel, Strict

SUFFIXES = (".parquet", ".csv", ".npz")
OF_PEOPLE = (".npy", ".npz")
GIVEN = "given"  # in the place of a file: those that came with the images


def _checked(path: str) -> str:
    if not path.lower().endswith(SUFFIXES):
        raise ValueError(f"'{path}' is not one of {', '.join(SUFFIXES)}")
    if "{" in (rest := path.replace("{dataset}", "")) or "}" in rest:
        raise ValueError(f"'{path}' has braces; {{data_folder}} at its beginning and {{dataset}} are known")
    return path


# Where a user keeps files is no part of a result, and their content is an input of jobs.
PredictionsFile = Annotated[str, AfterValidator(_checked)]


def _checked_of_people(path: str) -> str:
    if path != GIVEN and not path.lower().endswith(OF_PEOPLE):
        raise ValueError(f"'{path}' is not one of {', '.join(OF_PEOPLE)}")
    return path


# How many people gave each class of each test image, or which fraction of them; or GIVEN.
PeoplesFile = Annotated[Annotated[str, AfterValidator(_checked_of_people)] | None, Field(exclude=True)]


class GivenPredictions(Strict):
    """A model by its predictions alone; a path may have {dataset} in it, for the name of the data set."""

    test: Annotated[PredictionsFile, Field(exclude=True)]  # file of the predictions of test: docs/metrics.md
    val: Annotated[PredictionsFile | None, Field(exclude=True)] = None  # None: `val_fraction` of test, or no val
    ood: Annotated[dict[Name, PredictionsFile], Field(exclude=True)] = {}  # of the data set's OOD sets
    numbers: Literal["logits", "probabilities"] | None = None  # None: as the files' columns are called
    own_order: bool = False  # whether rows are in another order than the data set's `soft_labels`, so without them
    label: OwnLabel = None

    def files(self, dataset: str) -> dict[str, str]:
        """Return the file of each split of a data set: test first."""
        found = {"test": self.test, "val": self.val, **{f"ood-{name}": self.ood[name] for name in sorted(self.ood)}}
        return {split: path.replace("{dataset}", dataset) for split, path in found.items() if path}


class PredictedData(Strict):
    """A data set without images: only predictions of it, and their labels, are there."""

    source: Literal["predictions"]  # of files that `predictions` names
    val_fraction: BelowOne = 0.0  # of each class of test, for models without a file of val; 0: none
    split_seed: Annotated[int, Field(ge=0, lt=2**31)] = 0  # of the draw of val
    ood: list[Name] = []
    soft_labels: PeoplesFile = None  # a file with the labels of several people of test; None: none
    licence: Licence = None  # as of data sets with images
    corruptions: ClassVar[None] = None
    shifted: ClassVar[dict] = {}
    mask_truth: ClassVar[str] = "none"

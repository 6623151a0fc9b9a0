"""Type of `replicates`, and of which training images each is made.

A study's replicates are a list of numbers, however they are written: `5` means 1 to 5, `{ from: 11, n: 10 }` 11 to 20;
with looks there are as many as the last of them.
"""

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Discriminator, Field, Tag, create_model

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog
from selfdoubt.settings.types import Replicate, Strict

_Number = Annotated[int, Field(ge=1, le=10_000)]
Span = create_model("Span", __base__=Strict, **{"from": (Replicate, 1), "n": (_Number, ...)})  # `from` is a keyword
_Looks = Annotated[list[_Number], Field(min_length=1)]
Looks = create_model("Looks", __base__=Strict, **{"from": (Replicate, 1), "looks": (_Looks, ...)})  # looks.py


def _form(given) -> str:
    if isinstance(given, dict):
        return "Looks" if "looks" in given else "Span"
    return {list: "List", Span: "Span", Looks: "Looks"}.get(type(given), "Number")


def _listed(given: int | list[int] | Span | Looks) -> list[int]:
    if isinstance(given, Span | Looks):
        first = getattr(given, "from")
        return list(range(first, first + (given.n if isinstance(given, Span) else given.looks[-1])))
    return list(range(1, given + 1)) if isinstance(given, int) else given


Replicates = Annotated[
    Annotated[_Number, Tag("Number")]
    | Annotated[Span, Tag("Span")]
    | Annotated[Looks, Tag("Looks")]
    | Annotated[list[Replicate], Field(min_length=1), Tag("List")],
    Discriminator(_form),
    AfterValidator(_listed),
]


class Draws(NamedTuple):
    """Which training images the replicates of a data set have."""

    kind: Literal["pool", "disjoint", "overlapping"]  # pool: each has all of train
    n_images: int | None = None  # of a replicate; None: all of train

    def overlap(self, n_train: int) -> float | None:
        """Return rho, the fraction of its images that a replicate has in common with another; None: the same images.

        n_train: images of the training split, all replicates' together.
        """
        return {"pool": None, "disjoint": 0.0, "overlapping": (self.n_images or 0) / n_train}[self.kind]


def check_own_images(key: str, dataset, study) -> None:
    """Raise UserError if replicates of a data set cannot have training images of their own, as far as the config shows.

    How many there are at most is known of a published source alone; the jobs know it exactly.
    """
    place, n = f"datasets.{key}.train_images_per_replicate", dataset.train_images_per_replicate
    if n is None:
        if dataset.overlapping_draws:
            raise UserError(f"config: datasets.{key}.overlapping_draws: true, but of how many images? Add {place}")
        return
    if (least := min(study.replicates)) < 1:
        raise UserError(f"config: replicates: {least}, but with {place} they are numbered from 1; leave it out")
    if shared := [name for name, each in study.segmenters.items() if each.teacher_replicate is not None]:
        why = f"replicates of '{key}' have training images of their own, and need a segmenter each"
        raise UserError(f"config: segmenters.{shared[0]}.teacher_replicate: one for all, but {why}; set it to null")
    for name, model in study.models.items():
        if (fold := getattr(model, "fold", None)) and fold.parts > n:
            raise UserError(
                f"config: {place}: {n}, too few for the {fold.parts} parts of which '{name}' is one; raise it"
            )
    pool, last = catalog.most_train_images(dataset), 1 if dataset.overlapping_draws else max(study.replicates)
    if pool is not None and dataset.overlapping_draws and n >= pool:
        why = f"all of {pool} at most, so that draws are no draws"
        raise UserError(f"config: {place}: {n}, {why}; lower it, or leave it and overlapping_draws out")
    if pool is not None and last * n > pool:
        found = f"{pool} training images at most give {pool // n} replicates of {n}, and {last} is the last"
        raise UserError(f"config: {place}: {found}; lower it, or set overlapping_draws: true beside it")

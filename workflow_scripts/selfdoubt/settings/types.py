"""What the types of config.yaml's parts are made of."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

MAX_NAME = 60  # letters: names are parts of paths, and a file system takes 255 bytes for one


def _not_periodic(name: str) -> str:
    """Return a name unless Snakemake would take it for a rule that calls itself: twenty times the same at the end."""
    if re.search(r"(.+)\1{19}$", name):
        raise ValueError("ends with the same letters twenty times; choose another name")
    return name


Name = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=MAX_NAME), AfterValidator(_not_periodic)]


def _free(run: str) -> str:
    """Return a run's name unless results/ has that folder for something else."""
    if run == "data":
        raise ValueError("is the folder of the data that runs share; choose another name")
    return run


RunName = Annotated[Name, AfterValidator(_free)]
ArmText = Annotated[
    str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?$", max_length=2 * MAX_NAME + 1)
]
Label = Annotated[str, Field(pattern=r"^\S([^\r\n]*\S)?$", max_length=60)]
OwnLabel = Annotated[Label | None, Field(exclude=True)]  # of an entry, in figures and tables; no job depends on it
Licence = Annotated[str | None, Field(exclude=True, min_length=1)]  # a text, or an address; for the record alone
KeepsFeatures = Annotated[bool, Field(exclude=True)]  # of a model, beside its predictions; no training depends on it
OodSplit = Annotated[str, Field(pattern=r"^ood-[a-z0-9]+(-[a-z0-9]+)*$", max_length=MAX_NAME + 4)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1e12)]  # whose powers float32 holds
NotNegative = Annotated[float, Field(ge=0, le=1e12)]
BelowOne = Annotated[float, Field(ge=0, lt=1)]
Replicate = Annotated[int, Field(ge=0, lt=2**31)]  # generators are seeded by it, tables store it as int32
Count = Annotated[int, Field(ge=1, lt=2**31)]
Channels = Annotated[int, Field(ge=1, le=65_536)]  # of a layer
Processes = Annotated[int, Field(ge=1, le=1024)]  # or threads: of one machine, or of a few
Epsilon = Annotated[float, Field(ge=0.01, le=128)]  # in 255ths of the pixel range


def _seen_or_zero(epsilon: float) -> float:
    if 0 < epsilon < 0.01:
        raise PydanticCustomError("epsilon", "should be 0 or at least 0.01, in 255ths of the pixel range")
    return epsilon


EpsilonOrZero = Annotated[float, Field(ge=0, le=128), AfterValidator(_seen_or_zero)]
Precision = Literal["auto", "bfloat16", "float32"]
Device = Literal["auto", "cpu", "cuda"]


class Strict(BaseModel):
    """No unknown keys, no changes, no conversions but of texts that read as numbers (numbers.py); numbers are finite.

    A default is as if it had been written.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_default=True, allow_inf_nan=False)


def one_of(*types, by: str):
    """Return the union of models that the key `by` distinguishes."""
    union = types[0]
    for kind in types[1:]:
        union |= kind
    return Annotated[union, Field(discriminator=by)]

"""What the settings of several methods have in common."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from selfdoubt.settings.types import Count, Fraction, Strict

ObjectLabels = Literal["object-area", "relative-object-area"]


class ByMasks(Strict):
    """Mixing that needs to know where the object is."""

    probability: Fraction  # that an image is mixed
    labels: ObjectLabels = "object-area"
    mask_control: Literal["none", "permuted", "boxes"] = "none"


class OfStudent(Strict):
    """A student's loss, or a transform of its targets."""

    compares_images: ClassVar[bool] = False  # whether what an image counts depends on the others of its batch


def depth_of_6n_plus(more: int):
    """Return the type of a depth of 6n + `more` layers, n at least 1."""

    def check(depth: int) -> int:
        if depth < 6 + more or (depth - more) % 6:
            near = max(6 * round((depth - more) / 6), 6) + more
            raise PydanticCustomError("depth", f"a depth of this family is 6n + {more}, such as {near}")
        return depth

    return Annotated[int, AfterValidator(check)]


def _weights_file(path: str) -> str:
    if not path.endswith((".safetensors", ".pth")):
        raise PydanticCustomError("weights", "weights are read from a .safetensors or a .pth file")
    return path


class FromTimm(Strict):
    """A network of timm, by its name there."""

    name: str = Field(pattern=r"^[a-z0-9_.]+$")
    weights: Annotated[str, AfterValidator(_weights_file)] | None = None  # in place of the published ones
    patch_px: Count = 4  # of a transformer on images of up to 64 px, where input_px is data

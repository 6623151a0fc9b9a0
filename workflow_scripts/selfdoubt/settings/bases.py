"""What the settings of several methods have in common."""

from typing import Literal

from selfdoubt.settings.types import Fraction, Strict

ObjectLabels = Literal["object-area", "relative-object-area"]


class ByMasks(Strict):
    """Mixing that needs to know where the object is."""

    probability: Fraction  # that an image is mixed
    labels: ObjectLabels = "object-area"
    mask_control: Literal["none", "permuted", "boxes"] = "none"

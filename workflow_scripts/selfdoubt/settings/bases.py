"""What the settings of several methods have in common."""

from typing import ClassVar, Literal

from selfdoubt.settings.types import Fraction, Strict

ObjectLabels = Literal["object-area", "relative-object-area"]


class ByMasks(Strict):
    """Mixing that needs to know where the object is."""

    probability: Fraction  # that an image is mixed
    labels: ObjectLabels = "object-area"
    mask_control: Literal["none", "permuted", "boxes"] = "none"


class ScoreByName(Strict):
    """A confidence score, of which the config gives the name alone, and what the rest of the config must know of it."""

    defines_probabilities: ClassVar[bool] = False  # whether calibration metrics can be computed of it
    needs_dropout_passes: ClassVar[bool] = False  # whether evaluation.mc_dropout_passes must be above 0

"""What the settings of several methods have in common."""

from typing import ClassVar, Literal

from pydantic import Field

from selfdoubt.settings.types import Fraction, Name, Strict

ObjectLabels = Literal["object-area", "relative-object-area"]


class ByMasks(Strict):
    """Mixing that needs to know where the object is."""

    probability: Fraction  # that an image is mixed
    labels: ObjectLabels = "object-area"
    mask_control: Literal["none", "permuted", "boxes"] = "none"


class Enhancer(Strict):
    """A change of the input of models; of a key whose value is a list, one value is chosen on val."""

    reads_labels: ClassVar[bool] = False  # of the images that it enhances, test too: an upper bound, never a contender
    changes_images: ClassVar[bool] = True
    models: list[Name] = Field(min_length=1)


class Protocol(Strict):
    """How a group decides."""

    speaks: ClassVar[bool] = False  # whether models are run again, on images that members perturb
    argues: ClassVar[bool] = False  # whether a message is for one class: then rows say who persuades whom

    def models_run(self, members: list[str]) -> list[str]:
        """Return the members whose predictions are used, by name."""
        return sorted(members)


class ScoreByName(Strict):
    """A confidence score, of which the config gives the name alone, and what the rest of the config must know of it."""

    defines_probabilities: ClassVar[bool] = False  # whether calibration metrics can be computed of it
    needs_dropout_passes: ClassVar[bool] = False  # whether evaluation.mc_dropout_passes must be above 0

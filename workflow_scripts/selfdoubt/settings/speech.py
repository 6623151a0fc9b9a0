"""Settings common to the protocols whose members send messages."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from selfdoubt.settings.bases import Protocol
from selfdoubt.settings.registry import settings_of
from selfdoubt.settings.types import Count, Epsilon, Fraction, Precision

MESSAGES = settings_of("messages", by="message")


class Speech(Protocol):
    """A group whose members predict again, on images that others have perturbed.

    All keys are optional or not by the message: `check` of settings/messages/NAME.py raises if one is missing, or set
    without a meaning.
    """

    speaks: ClassVar[bool] = True
    message: Literal[tuple(MESSAGES)]
    epsilon_255: Epsilon
    precision: Precision = "float32"  # of gradients

    @model_validator(mode="after")
    def _fits_its_message(self) -> Self:
        MESSAGES[self.message].check(self)
        return self


class Argument(Speech):
    """Messages for the classes of largest probability, and by how much listeners' log p of them rises."""

    argues: ClassVar[bool] = True
    n_steps: Count | None = None  # of messages that take steps
    n_candidates: Annotated[int, Field(ge=2)]
    contested_below: Fraction
    gains_relative_to: Literal["none", "random-sign", "sender"] = "none"

"""Settings of messages from one model to one other, or to itself."""

from typing import Literal, Self

from pydantic import model_validator

from selfdoubt.settings.sent_messages import ClassMessageProtocol
from selfdoubt.settings.types import Name


class Settings(ClassMessageProtocol):
    method: Literal["one-way"]
    sender: Name  # a member, which perturbs the images
    listener: Name  # may be the sender: a message to oneself

    def models_run(self, members: list[str]) -> list[str]:
        """Return sender and listener, by name."""
        return sorted({self.sender, self.listener})

    @model_validator(mode="after")
    def _has_another_gain(self) -> Self:
        if self.sender == self.listener and self.gains_relative_to == "sender":
            raise ValueError("gains_relative_to: sender, who is the listener, so that the ratio is 1; use another")
        return self

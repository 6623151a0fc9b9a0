"""Settings of mentors, which predict members' errors from reactions to messages (after arXiv 2410.02384)."""

from typing import ClassVar, Literal

from selfdoubt.settings.penalties import FittedProtocol
from selfdoubt.settings.sent_messages import ClassMessageProtocol


class Settings(FittedProtocol, ClassMessageProtocol):  # in this order, so that keys of a message are allowed
    targets_classes: ClassVar[bool] = False
    method: Literal["mentor"]
    reads: Literal["reactions", "predictions"] = "reactions"  # predictions: of clean images alone, a control

    @property
    def keeps_gains(self) -> bool:
        """Whether anything is sent that can be gained by."""
        return self.reads == "reactions"

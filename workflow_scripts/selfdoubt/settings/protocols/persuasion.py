"""Settings of persuasion."""

from typing import Literal

from selfdoubt.settings.sent_messages import ClassMessageProtocol


class Settings(ClassMessageProtocol):
    method: Literal["persuasion"]

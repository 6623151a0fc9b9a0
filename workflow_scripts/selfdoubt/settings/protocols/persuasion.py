"""Settings of persuasion."""

from typing import Annotated, Literal

from pydantic import Field, model_serializer

from selfdoubt.settings.sent_messages import ClassMessageProtocol
from selfdoubt.settings.types import Name


class Settings(ClassMessageProtocol):
    method: Literal["persuasion"]
    senders: Annotated[list[Name], Field(min_length=1)] | None = None  # who listen to none; None: all send and listen

    @model_serializer(mode="wrap")
    def _without_what_few_have(self, dump) -> dict:
        return {key: value for key, value in dump(self).items() if (key, value) != ("senders", None)}

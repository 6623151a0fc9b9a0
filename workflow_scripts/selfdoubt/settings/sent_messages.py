"""Settings common to the protocols whose members send messages."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from selfdoubt.settings.bases import Protocol
from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.registry import settings_of
from selfdoubt.settings.types import Count, Epsilon, Fraction, Precision

MESSAGES = settings_of("messages", by="message")


def _with_keys_of_messages(schema: dict) -> None:
    """Add to a protocol's JSON schema what its message may have, for editors; there is no other key."""
    schema["additionalProperties"] = False
    own = {*schema["properties"]}
    for kind in MESSAGES.values():
        for key, found in kind.model_json_schema()["properties"].items():
            if key not in own:
                known = schema["properties"].setdefault(key, {"anyOf": []})["anyOf"]
                known += [found] if found not in known else []


class MessageProtocol(Protocol):
    """A group whose members predict again, on images that others have perturbed.

    A message may have keys of its own, the fields of settings/messages/NAME.py; its `check` raises if a key of the
    protocol is missing for it, or means nothing to it.
    """

    runs_models: ClassVar[bool] = True
    message: Literal[tuple(MESSAGES)]
    epsilon_255: Epsilon | None = None  # of messages that move pixels
    precision: Precision = "float32"  # of gradients

    # the keys of the message, which its own settings check
    model_config = ConfigDict(extra="allow", json_schema_extra=_with_keys_of_messages)

    @model_validator(mode="after")
    def _fits_its_message(self) -> Self:
        kind, given = MESSAGES[self.message], self.__pydantic_extra__
        own = kind.model_fields.keys() - {"message"}
        for key in given.keys() - own:
            raise ValueError(not_one_of(key, sorted({*type(self).model_fields, *own}), "a key of this protocol"))
        given.update(kind.model_validate({"message": self.message, **given}).model_dump(exclude={"message"}))
        kind.check(self)
        return self


class ClassMessageProtocol(MessageProtocol):
    """Messages for the classes of largest probability, and by how much listeners' log p of them rises."""

    targets_classes: ClassVar[bool] = True
    keeps_gains: ClassVar[bool] = True
    n_steps: Count | None = None  # of messages that take steps
    n_candidates: Annotated[int, Field(ge=2, le=10_000)]
    contested_below: Fraction
    # gains by random signs of the same size, or the sender's own: docs/communication.md
    gains_relative_to: Literal["none", "random-sign", "sender"] = "none"

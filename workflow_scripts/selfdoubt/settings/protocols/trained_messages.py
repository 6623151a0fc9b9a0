"""Settings of messages that a network is trained to write."""

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from selfdoubt.settings.bases import Protocol
from selfdoubt.settings.penalties import Folds
from selfdoubt.settings.types import Count, Epsilon, Fraction, Name, Positive


class Settings(Protocol):
    runs_models: ClassVar[bool] = True
    keeps_gains: ClassVar[bool] = True
    method: Literal["trained-messages"]
    sender: Name  # a member, of which the network that writes messages may read
    listener: Name  # may be the sender
    reads: Literal["features", "predictions", "image"]  # of the sender, besides the image; image: nothing, a control
    channel: Literal["message", "fusion"] = "message"  # fusion: to the listener's logits, without a message: a control
    shuffled: bool = False  # each image has the perturbation of another of the sender's class: a control
    epsilon_255: Epsilon | None = None  # of a message
    width: Count  # of the hidden layers
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    n_folds: Folds  # of val
    learns_from: Literal["train-and-val", "val"] = "train-and-val"  # val: of which the models have seen no label
    contested_below: Fraction  # the listener's largest probability, of the images of the information test

    @property
    def reads_train(self) -> bool:
        return self.learns_from == "train-and-val"

    def models_run(self, members: list[str]) -> list[str]:
        """Return sender and listener, by name."""
        return sorted({self.sender, self.listener})

    @model_validator(mode="after")
    def _has_what_its_channel_needs(self) -> Self:
        if self.channel == "message" and self.epsilon_255 is None:
            raise ValueError("`epsilon_255` is missing: the size of a message, in 255ths; add it")
        if self.channel == "fusion":
            given = [key for key, unset in (("epsilon_255", None), ("shuffled", False)) if getattr(self, key) != unset]
            if given:
                raise ValueError(f"`{given[0]}` is of messages, and a fusion sends none; remove it")
        return self

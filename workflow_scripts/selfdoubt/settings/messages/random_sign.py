"""Settings of random signs, the placebo of messages."""

from typing import Literal

from selfdoubt.settings.types import Strict


class Settings(Strict):
    message: Literal["random-sign"]

    @staticmethod
    def check(protocol) -> None:
        """Raise ValueError if a protocol has keys that mean nothing for random signs."""
        if protocol.epsilon_255 is None:
            raise ValueError("`epsilon_255` is missing: the size of a message, in 255ths; add it")
        if protocol.precision != "float32":
            raise ValueError("`precision` is of gradients, and random-sign takes none; remove it")
        if getattr(protocol, "n_steps", None) is not None:
            raise ValueError("`n_steps` is of gradients, and random-sign takes none; remove it")
        if getattr(protocol, "gains_relative_to", "none") != "none":
            raise ValueError("`gains_relative_to` compares with random signs, which these are; remove it")

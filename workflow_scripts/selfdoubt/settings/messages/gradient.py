"""Settings of messages along the sender's gradient."""

from typing import Literal

from selfdoubt.settings.types import Strict


class Settings(Strict):
    message: Literal["gradient"]

    @staticmethod
    def check(protocol) -> None:
        """Raise ValueError if a protocol that takes steps does not set n_steps."""
        if protocol.epsilon_255 is None:
            raise ValueError("`epsilon_255` is missing: the size of a message, in 255ths; add it")
        if "n_steps" in type(protocol).model_fields and protocol.n_steps is None:
            raise ValueError("`n_steps` is missing: the number of gradient steps of a message; add it")

"""Settings of messages along the sender's gradient."""

from typing import Literal

from selfdoubt.settings.types import Strict


class Settings(Strict):
    message: Literal["gradient"]

    @staticmethod
    def check(protocol) -> None:
        """Raise ValueError if a protocol that takes steps does not set n_steps."""
        if "n_steps" in type(protocol).model_fields and protocol.n_steps is None:
            raise ValueError("`n_steps` is missing: the number of gradient steps of a message; add it")

"""Settings of spatial messages: a shift or flip that the sender picks."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.types import Strict


class Settings(Strict):
    message: Literal["spatial"]
    shift_px: Annotated[int, Field(ge=1, le=1024)]  # by which an image is moved, or not, in each direction
    flip: bool  # whether each of these is mirrored, too
    pick: Literal["confident", "random"] = "confident"  # random: the control

    @staticmethod
    def check(protocol) -> None:
        """Raise ValueError if a protocol has keys that mean nothing for whole images that are moved."""
        if "n_rounds" in type(protocol).model_fields:
            raise ValueError(
                "`message` spatial takes no steps, of which a dialogue is made; use gradient or random-sign"
            )
        for key, unset in (("epsilon_255", None), ("n_steps", None), ("precision", "float32")):
            if getattr(protocol, key) != unset:
                raise ValueError(f"`{key}` is of messages that move pixels, and spatial moves the image; remove it")
        if protocol.gains_relative_to == "random-sign":
            raise ValueError("`gains_relative_to: random-sign` is of messages that move pixels; use none or sender")

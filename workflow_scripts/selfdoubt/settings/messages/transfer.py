"""Settings of messages along gradients with what makes adversarial examples transfer: momentum and several views."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.types import Count, NotNegative, Strict


class Settings(Strict):
    message: Literal["transfer"]
    momentum: NotNegative  # of the gradients of earlier steps; 0: none
    n_views: Count  # of which a step takes the mean gradient; the image as it is is one
    shift_px: Annotated[int, Field(ge=0, le=1024)]  # by which the others are moved, at most

    @staticmethod
    def check(protocol) -> None:
        """Raise ValueError if a protocol lacks what steps need, or has views that do not differ."""
        if "n_rounds" in type(protocol).model_fields:
            raise ValueError("`message` transfer takes all its steps at once, and a dialogue one by one; use gradient")
        for key, what in (("epsilon_255", "the size of a message, in 255ths"), ("n_steps", "the number of its steps")):
            if getattr(protocol, key) is None:
                raise ValueError(f"`{key}` is missing: {what}; add it")
        if (protocol.n_views > 1) != (protocol.shift_px > 0):
            raise ValueError("`shift_px` is of the views of n_views above 1; raise both, or set 1 and 0")

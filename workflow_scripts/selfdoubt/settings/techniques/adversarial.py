"""Settings of adversarial training (Madry et al., ICLR 2018)."""

from typing import Literal, Self

from pydantic import model_validator

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import Count, Epsilon


class Settings(Technique):
    method: Literal["adversarial"]
    epsilon_255: Epsilon  # the farthest that a pixel is moved
    signs: Literal["gradient", "random"] = "gradient"  # random: each pixel up or down by epsilon, a control
    n_steps: Count | None = None  # along the gradient
    step_255: Epsilon | None = None  # of each

    @model_validator(mode="after")
    def _has_steps_along_a_gradient(self) -> Self:
        for key in ("n_steps", "step_255"):
            if (getattr(self, key) is None) == (self.signs == "gradient"):
                what = "is missing; add it" if self.signs == "gradient" else "is of signs: gradient; remove it"
                raise ValueError(f"`{key}` {what}")
        return self

    def unfit(self, model, recipe) -> str | None:
        if recipe.ema_decay is not None:
            return f"recipes.{model.recipe}: ema_decay averages statistics of moved images; give it a recipe without"
        return None

"""Settings of self-distillation from the average of one's own weights (after Tarvainen & Valpola 2017)."""

from typing import Annotated, Literal

from pydantic import Field

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import Fraction, Positive


class Settings(Technique):
    method: Literal["self-distillation"]
    decay: Annotated[float, Field(gt=0, lt=1)]  # of the average of the weights, at each step
    temperature: Positive
    alpha: Fraction  # of the divergence from the average's predictions; the loss of labels has the rest

    def unfit(self, model, recipe) -> str | None:
        if any(each.method == "logit-norm" for each in model.techniques):
            return "logit-norm normalises the logits that are compared; remove one of the two"
        return None

"""Settings of RegMixup (Pinto et al., NeurIPS 2022)."""

from typing import ClassVar, Literal

from selfdoubt.settings.bases import Technique
from selfdoubt.settings.types import Positive


class Settings(Technique):
    compares_images: ClassVar[bool] = True
    n_batches: ClassVar[int] = 2
    method: Literal["regmixup"]
    alpha: Positive  # lambda ~ Beta(alpha, alpha)
    eta: Positive  # weight of the mixed images' loss

    def unfit(self, model, recipe) -> str | None:
        if model.virtual_teacher:
            return "virtual_teacher has no target for mixed images; remove one of the two"
        if model.labels == "soft":
            return "labels: soft are not mixed; remove one of the two"
        return None

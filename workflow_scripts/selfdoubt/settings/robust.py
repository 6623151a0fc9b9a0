"""Robust models: their settings, and checks that they are fine-tuned from a model of the same network."""

from collections.abc import Iterator
from typing import Self

from pydantic import model_validator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.models import LabelModel
from selfdoubt.settings.types import Name


class Robust(LabelModel):
    fine_tuned_from: Name  # a model that is trained here, of the same network; the recipe is of the fine-tuning

    @model_validator(mode="after")
    def _learns_from_moved_images(self) -> Self:
        if not any(each.method == "adversarial" for each in self.techniques):
            remedy = "add { method: adversarial, epsilon_255: 8, n_steps: 2, step_255: 5 }"
            raise ValueError(f"`techniques` has no adversarial training, which a robust model is; {remedy}")
        return self


def check_robust(study) -> Iterator[tuple]:
    """Yield the checks of all robust models, as functions with their arguments."""
    trained = {**study.teachers, **study.baselines, **study.students, **study.augmented}
    for key, model in study.robust.items():
        place = f"robust.{key}.fine_tuned_from"
        yield check_known, place, model.fine_tuned_from, trained, "a model that is trained from scratch"
        if model.fine_tuned_from in trained:
            yield _check_network, key, model, trained[model.fine_tuned_from]


def _check_network(key: str, model, source) -> None:
    if model.network != source.network:
        what = f"'{model.network}', but '{model.fine_tuned_from}' has '{source.network}'; set it to that"
        raise UserError(f"config: robust.{key}.network: {what}")
    if getattr(source, "disagreement", None):
        what = f"'{model.fine_tuned_from}' has a further output; name a model without `disagreement`"
        raise UserError(f"config: robust.{key}.fine_tuned_from: {what}")

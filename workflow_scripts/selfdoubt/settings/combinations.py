"""Checks of techniques: that they go with the recipe of their model, and with what else it has."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError


def check_techniques(study) -> Iterator[tuple]:
    """Yield the checks of all models that learn from labels, as functions with their arguments."""
    for section in ("teachers", "baselines"):
        for key, model in getattr(study, section).items():
            if recipe := study.recipes.get(model.recipe):
                yield _check_model, f"{section}.{key}.techniques", model, recipe


def _check_model(place: str, model, recipe) -> None:
    for technique in model.techniques:
        fault = technique.unfit(model, recipe)
        if technique.compares_images and recipe.gpu > 1:
            fault = f"recipes.{model.recipe}: gpu is {recipe.gpu}, and it needs whole batches; give it one with gpu: 1"
        if fault:
            raise UserError(f"config: {place}: {technique.method}, but {fault}")

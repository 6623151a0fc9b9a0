"""Checks of techniques, of mixing and of scores: that they go with what else a model or the study has."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import SCORES
from selfdoubt.settings.bases import ByMasks
from selfdoubt.settings.choices import check_known


def check_techniques(study) -> Iterator[tuple]:
    """Yield the checks of all models that learn from labels, as functions with their arguments."""
    for section in ("teachers", "baselines", "robust"):
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


# ---- mixing ----


def check_mixing(study) -> Iterator[tuple]:
    """Yield the checks of all models that may learn from mixed images, as functions with their arguments."""
    for key, model in {**study.augmented, **study.students}.items():
        yield _check_mask_source, f"{section_of(key, study)}.{key}", model, study


def section_of(name: str, study) -> str:
    """Return the section of a model that learns from mixed images."""
    return "students" if name in study.students else "augmented"


def models_with_given_masks(study) -> list[str]:
    """Return the models that mix by the masks of the data set."""
    given = {name: model for name, model in study.mixed.items() if model.masks == "given"}
    return [name for name, m in given.items() if isinstance(m.mixing, ByMasks) and m.segmenter is None]


def models_with_true_masks(study) -> list[str]:
    """Return the models that mix by true masks, and have no others to take where these are not known."""
    return [name for name, model in study.mixed.items() if model.masks == "truth" and model.segmenter is None]


def _check_mask_source(place: str, model, study) -> None:
    sources = [key for key in ("segmenter", "masks") if getattr(model, key) is not None]
    if isinstance(model.mixing, ByMasks):
        if not sources:
            remedy = "add 'segmenter: NAME', or 'masks: given' for those of the data set"
            raise UserError(f"config: {place}.segmenter: mixing by masks needs one; {remedy}")
        if len(sources) > 1 and model.masks != "truth":
            raise UserError(f"config: {place}.masks: given, and a segmenter is named; remove one of the two")
        if model.masks == "truth" and place.startswith("students"):
            raise UserError(f"config: {place}.masks: truth is for models of augmented; give a segmenter, or 'given'")
        if model.segmenter is not None:
            check_known(f"{place}.segmenter", model.segmenter, study.segmenters, "a segmenter")
    elif sources:
        what = f"'{model.mixing.method}' uses no masks" if model.mixing else "is for mixing, and the model has none"
        raise UserError(f"config: {place}.{sources[0]}: {what}; remove it")


# ---- scores ----


def check_score_of_disagreement(study) -> None:
    """Raise UserError if the score is named that needs a student which learns how far its teachers disagree."""
    needing = [score for score in study.evaluation.all_scores() if SCORES[score].needs_disagreement]
    if needing and not study.disagreeing():
        remedy = "set `disagreement: { weight: 1 }` at a student of several teachers, or remove the score"
        raise UserError(f"config: evaluation.scores: {needing[0]} needs a student that learns it; {remedy}")

"""Checks of techniques, of mixing and of distilled disagreement: that they go with what else a model has."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import SCORES
from selfdoubt.settings.bases import ByMasks
from selfdoubt.settings.choices import check_known


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


# ---- mixing ----


def check_mixing(study) -> Iterator[tuple]:
    """Yield the checks of all models that may learn from mixed images, as functions with their arguments."""
    for key, model in {**study.augmented, **study.students}.items():
        yield _check_mask_source, f"{section_of(key, study)}.{key}", model, study
    for key, student in study.students.items():
        yield _check_mixed_student, f"students.{key}", student


def section_of(name: str, study) -> str:
    """Return the section of a model that learns from mixed images."""
    return "students" if name in study.students else "augmented"


def models_with_given_masks(study) -> list[str]:
    """Return the models that mix by the masks of the data set."""
    given = {name: model for name, model in study.mixed.items() if model.masks == "given"}
    return [name for name, m in given.items() if isinstance(m.mixing, ByMasks) and m.segmenter is None]


def _check_mask_source(place: str, model, study) -> None:
    sources = [key for key in ("segmenter", "masks") if getattr(model, key) is not None]
    if isinstance(model.mixing, ByMasks):
        if not sources:
            remedy = "add 'segmenter: NAME', or 'masks: given' for those of the data set"
            raise UserError(f"config: {place}.segmenter: mixing by masks needs one; {remedy}")
        if len(sources) > 1:
            raise UserError(f"config: {place}.masks: given, and a segmenter is named; remove one of the two")
        if model.segmenter is not None:
            check_known(f"{place}.segmenter", model.segmenter, study.segmenters, "a segmenter")
    elif sources:
        what = f"'{model.mixing.method}' uses no masks" if model.mixing else "is for mixing, and the model has none"
        raise UserError(f"config: {place}.{sources[0]}: {what}; remove it")


def _check_mixed_student(place: str, student) -> None:
    """Raise UserError if a student of mixed images has a method that asks for one label, or a view without mixing."""
    if student.mixing is None:
        return
    if methods := student.of_one_label():
        raise UserError(f"config: {place}.mixing: mixed images have two labels, {methods[0]} is of one; remove either")
    if student.teacher_view == "fixed":
        raise UserError(f"config: {place}.teacher_view: fixed, but mixed images are new in each epoch; set it to same")


# ---- disagreement ----


def check_disagreement(study) -> Iterator[tuple]:
    """Yield the checks of students that learn how far their teachers disagree, and of the score that is made of it."""
    for key in study.disagreeing():
        yield _check_several_teachers, f"students.{key}.disagreement", study.students[key]
    yield _check_score, study


def _check_several_teachers(place: str, student) -> None:
    if len(student.teacher) < 2:
        raise UserError(f"config: {place}: one teacher disagrees with nobody; name several, or remove it")


def _check_score(study) -> None:
    needing = [score for score in study.evaluation.all_scores() if SCORES[score].needs_disagreement]
    if needing and not study.disagreeing():
        remedy = "set `disagreement: { weight: 1 }` at a student of several teachers, or remove the score"
        raise UserError(f"config: evaluation.scores: {needing[0]} needs a student that learns it; {remedy}")

"""Checks of students: who they learn from, and what of."""

from collections import Counter
from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.circles import check_no_circle


def check_students(study) -> Iterator[tuple]:
    """Yield the checks of all students but of their teachers' names, as functions with their arguments."""
    for key, student in study.students.items():
        yield check_no_circle, key, study
        yield _check_whole_batches, key, student, study
        if student.targets == "held-out" and all(name in study.predicting for name in student.teacher):
            yield check_held_out, f"config: students.{key}.targets: held-out", student.teacher, study
        yield _check_mixed, f"config: students.{key}", student
        yield _check_disagreement, f"config: students.{key}.disagreement", student, study


def _check_whole_batches(key: str, student, study) -> None:
    recipe = study.recipes.get(student.recipe)
    if recipe and recipe.gpu > 1 and student.compares_images:
        place, why = f"recipes.{student.recipe}.gpu", f"students.{key} compares the images of a whole batch"
        raise UserError(f"config: {place}: {recipe.gpu}, but {why}; give it a recipe with gpu: 1")


def check_held_out(place: str, teachers: list[str], study) -> None:
    """Raise UserError if a teacher has seen all images, or if images differ in how many have not seen them."""
    folds = {name: getattr(study.predicting[name], "fold", None) for name in teachers}
    if whole := [name for name, fold in folds.items() if fold is None]:
        remedy = "name the folds of a model (of its section: NAME: { folds_of: MODEL, parts: 5 }), or remove it"
        raise UserError(f"{place}, but '{whole[0]}' has seen all images; {remedy}")
    left_out = Counter((fold.parts, fold.division, fold.part) for fold in folds.values())
    for name, fold in folds.items():
        n = left_out[fold.parts, fold.division, fold.part]
        for part in range(1, fold.parts + 1):
            if left_out[fold.parts, fold.division, part] != n:
                more = f"more teachers leave out part {fold.part} of {fold.parts}, as '{name}' does, than part {part}"
                raise UserError(f"{place}, but {more}; name all members of its entry")


def _check_mixed(place: str, student) -> None:
    """Raise UserError if a student of mixed images learns by what there is of single images alone."""
    if student.mixing is None:
        return
    if methods := student.of_one_label():
        raise UserError(f"{place}.mixing: mixed images have two labels, {methods[0]} is of one; remove either")
    if getattr(student.mixing, "labels", None) == "visible-fraction":
        raise UserError(f"{place}.mixing.labels: visible-fraction is of augmented models; set it to object-area")
    if student.teacher_view == "fixed":
        raise UserError(f"{place}.teacher_view: fixed, but mixed images are new in each epoch; set it to same")
    if student.teacher_views > 1:
        raise UserError(f"{place}.teacher_views: {student.teacher_views}, but a mixed image has one view; remove it")
    if student.targets == "held-out":
        raise UserError(f"{place}.targets: held-out, but mixed images are of two; remove mixing, or set it to all")


def _check_disagreement(place: str, student, study) -> None:
    """Raise UserError if a student is to learn how far teachers disagree, and each image has a single one."""
    if student.disagreement is None:
        return
    folds = [getattr(study.predicting.get(name), "fold", None) for name in student.teacher]
    held_out = [fold for fold in folds if fold and fold.part == 1]  # as many as of each part
    n = len(held_out if student.targets == "held-out" else student.teacher)
    if n * student.teacher_views < 2:
        raise UserError(f"{place}: one teacher of an image has no disagreement; name more, or remove it")

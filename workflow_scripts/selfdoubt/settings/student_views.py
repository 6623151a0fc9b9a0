"""Which views of images students see, and which of them share a file of their teachers' soft labels."""

from collections import Counter
from functools import cached_property

from selfdoubt.runtime.digests import canonical
from selfdoubt.settings.models import Student

_VIEWS = ("epochs", "batch_size", "shift_px", "crop", "flip", "n_workers", "precision", "device", "threads")
_OF_STREAM = ("twin", "fold", "teacher_views", "targets", "mixing", "segmenter", "masks")


class ViewsOfStudents:
    """The part of a study that looks up views; it has `students`, `recipes` and `soft_labels`."""

    def views(self, student: str) -> dict:
        """Return all that a student's stream of views, and the targets of them, depend on but the teachers."""
        return self._views[_stream(self.students[student])]

    @cached_property
    def _views(self) -> dict[tuple, dict]:
        """Return what the views of each stream depend on, and their targets: equal ones are shared by students.

        `segmenter` is the name of the one whose masks they are mixed by.
        """
        recipes = {name: recipe.model_dump(include=set(_VIEWS)) for name, recipe in self.recipes.items()}
        students = self.students.values()
        return {_stream(model): recipes[model.recipe] | model.model_dump(include=set(_OF_STREAM)) for model in students}

    def stores_soft_labels(self, student: str) -> bool:
        """Return whether a student reads its targets from a file: in auto, where another reads it too."""
        mixing = self.students[student].mixing
        if self.students[student].teacher_view == "fixed" or (mixing and mixing.also_clean):
            return False  # each image has one target for all epochs, or two in each
        if self.soft_labels.mode != "auto":
            return self.soft_labels.mode == "stored"
        return self._n_readers[self._read_by(student)] > 1

    @cached_property
    def _n_readers(self) -> Counter:
        """Return how many students would read each file of soft labels."""
        readers = (name for name, student in self.students.items() if student.teacher_view == "same")
        return Counter(map(self._read_by, readers))

    def _read_by(self, student: str) -> tuple[tuple[str, ...], str]:
        """Return the teachers and the views, as a text: recipes of other names may give the same views."""
        return tuple(self.students[student].teacher), self._view_texts[_stream(self.students[student])]

    @cached_property
    def _view_texts(self) -> dict[tuple, str]:
        return {stream: canonical(views) for stream, views in self._views.items()}


def _stream(student: Student) -> tuple:
    """Return the key of a student's stream of views and of what targets are made of them."""
    return student.recipe, canonical(student.model_dump(include=set(_OF_STREAM)))

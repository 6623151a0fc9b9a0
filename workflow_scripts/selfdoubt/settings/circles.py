"""Who learns from whom: chains of teachers, through the masks of segmenters too, that lead back to their start."""

from selfdoubt.runtime.errors import UserError


def teachers_above(name: str, study) -> list[str]:
    """Return a model with all that it learns from: its teachers, the teacher of its masks, and theirs in turn."""
    above = [name]
    for each in above:  # which grows
        teachers = _teachers_of(each, study) + _teacher_of_masks(each, study)
        above += [teacher for teacher in teachers if teacher not in above]
    return above


def _teachers_of(name: str, study) -> list[str]:
    if name in study.robust:
        return [study.robust[name].fine_tuned_from]
    return study.students[name].teacher if name in study.students else []


def _teacher_of_masks(name: str, study) -> list[str]:
    """Return the teacher of the segmenter by whose masks a model mixes, if there is one."""
    segmenter = study.segmenters.get(getattr(study.mixed.get(name), "segmenter", None))
    return [segmenter.teacher] if segmenter else []


def check_no_circle(student: str, study) -> None:
    """Raise UserError if a student learns from itself through others; once a circle, at its first student by name."""
    path = _circle(student, study)
    if path and student == min(name for name in path if name in study.students):
        circle = " -> ".join(path)
        raise UserError(f"config: students.{student}.teacher: circular ({circle}); let one of them learn from labels")


def _circle(student: str, study) -> list[str] | None:
    """Return a chain of teachers from a student back to itself, or None."""
    chains, seen = [[student]], set()
    while chains:
        chain = chains.pop(0)
        for teacher in _teachers_of(chain[-1], study):
            if teacher == student:
                return [*chain, teacher]
            if teacher not in seen:
                seen.add(teacher)
                chains.append([*chain, teacher])
    return None

"""Models that are there for segmenters alone, each of which serves all replicates by the teacher of one."""

from selfdoubt.settings.references import named_arms


def replicates_served(study) -> dict[str, list[int]]:
    """Return the replicates of which a model is needed, for each that nothing but such segmenters needs.

    A model that learns from it, a group, an enhancer, a study, a claim or a figure needs it in every replicate.
    """
    found: dict[str, set] = {}
    for segmenter in study.segmenters.values():
        found.setdefault(segmenter.teacher, set()).add(segmenter.teacher_replicate)
    needed = _needed_in_all(study)
    return {name: sorted(each) for name, each in found.items() if None not in each and name not in needed}


def _needed_in_all(study) -> set[str]:
    learnt_from = [name for student in study.students.values() for name in student.teacher]
    learnt_from += [robust.fine_tuned_from for robust in study.robust.values()]
    members = [name for group in study.groups.values() for name in group.members]
    enhanced = [name for e in study.enhancers.values() for name in (*e.models, *e.learns_by())]
    shown = [name for figure in study.figures.values() for name in getattr(figure, "models", [])]
    arms = [arm.partition("/")[0] for _, arm in named_arms(study)]
    return {*learnt_from, *members, *enhanced, *shown, *arms}

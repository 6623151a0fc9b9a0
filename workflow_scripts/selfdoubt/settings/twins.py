"""Twins: models of equal settings, with other first weights, order and views within a replicate.

An entry `NAME: { twins_of: MODEL, n: 5 }` of MODEL's section stands for the models NAME-1 to NAME-5. The number of a
twin enters the names of all that its training draws, but not the choice of training images, which are the replicate's.
"""

from typing import Annotated

from pydantic import BeforeValidator, Discriminator, Field, Tag

from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count, Name, OwnLabel, Strict

SECTIONS = ("teachers", "baselines", "students", "augmented")
_OTHERS = ("pretrained", "predictions", "groups")  # whose names are taken too


class Twins(Strict):
    twins_of: Name  # a model of the same section
    n: Annotated[int, Field(ge=1, le=1000)]
    label: OwnLabel = None  # before the number of each


def or_twins(kind: type):
    """Return the type of an entry that is a model of a kind, or stands for twins of one."""

    def form(entry) -> str:
        asked = isinstance(entry, Twins) or (isinstance(entry, dict) and "twins_of" in entry)
        return "Twins" if asked else kind.__name__

    return Annotated[
        Annotated[kind, Tag(kind.__name__)] | Annotated[Twins, Tag("Twins")],
        Discriminator(form),
    ]


def _unwritten(given):
    if given is not None:
        raise ValueError("twins are numbered by themselves; write an entry NAME: { twins_of: MODEL, n: 5 }")


Twin = Annotated[Count | None, BeforeValidator(_unwritten)]  # the number of a twin, which no config gives


def with_twins(study):
    """Return a Study with twins in the place of the entries that stand for them.

    Groups and students may name such an entry, and get all its twins. Raises UserError, a line a fault.
    """
    asked = {key: section for section in SECTIONS for key, entry in getattr(study, section).items() if _stands(entry)}
    if not asked:
        return study
    names = {key: _names(key, getattr(study, section)[key]) for key, section in asked.items()}
    if found := [*_faults(asked, names, study)]:
        raise together(found)
    changed = {section: _expanded(getattr(study, section), names) for section in SECTIONS}
    for key, student in changed["students"].items():
        teachers = sorted(_all_of(student.teacher, names))
        changed["students"][key] = student.model_copy(update={"teacher": teachers})
    groups = study.groups.items()
    changed["groups"] = {k: g.model_copy(update={"members": _all_of(g.members, names)}) for k, g in groups}
    return study.model_copy(update=changed)


def _stands(entry) -> bool:
    return isinstance(entry, Twins)


def _names(key: str, entry: Twins) -> list[str]:
    return [f"{key}-{i + 1}" for i in range(entry.n)]


def _expanded(entries: dict, names: dict[str, list[str]]) -> dict:
    """Return a section with twins where an entry stands for them."""
    found = {}
    for key, entry in entries.items():
        if not _stands(entry):
            found[key] = entry
            continue
        for i, name in enumerate(names[key], start=1):
            label = f"{entry.label} {i}" if entry.label else None
            found[name] = entries[entry.twins_of].model_copy(update={"twin": i, "label": label})
    return found


def _all_of(given: list[str], names: dict[str, list[str]]) -> list[str]:
    return [name for each in given for name in names.get(each, [each])]


def _faults(asked: dict[str, str], names: dict[str, list[str]], study):
    """Yield an error for each entry that names no model, one that has twins already, or names that are not free."""
    taken = [(name, section) for section in (*SECTIONS, *_OTHERS) for name in getattr(study, section)]
    first = {}
    for key, section in asked.items():
        place, entries = f"config: {section}.{key}", getattr(study, section)
        model = entries[key].twins_of
        if _stands(entries.get(model)):
            yield UserError(
                f"{place}.twins_of: '{model}' are twins; name '{entries[model].twins_of}', whose twins they are"
            )
            continue
        try:
            check_known(f"{section}.{key}.twins_of", model, _models(entries), f"a model of {section}")
        except UserError as fault:
            yield fault
        if first.setdefault((section, model), key) != key:
            yield UserError(
                f"{place}.twins_of: '{model}' has the twins '{first[section, model]}'; raise their n instead"
            )
        for name, of in taken:
            if name in names[key] or (name == key and of != section):
                yield UserError(f"{place}: the name '{name}' is taken by {of}.{name}; rename one of the two")


def _models(entries: dict) -> list[str]:
    return [name for name, entry in entries.items() if not _stands(entry)]

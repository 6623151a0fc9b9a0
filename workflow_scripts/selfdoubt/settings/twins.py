"""Twins: models of equal settings, with other first weights, order and views within a replicate; and folds.

An entry `NAME: { twins_of: MODEL, n: 5 }` of MODEL's section stands for the models NAME-1 to NAME-5. The number of a
twin enters the names of all that its training draws, but not the choice of training images, which are the replicate's.

An entry `NAME: { folds_of: MODEL, parts: 5, n: 10 }` stands for twins that each train on all but a part of these
images, which are divided into 5 parts, n / 5 times at random: each member leaves out another part of a division.
"""

from typing import Annotated, ClassVar, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count, Name, OwnLabel, Strict

SECTIONS = ("teachers", "baselines", "students", "augmented")
_OTHERS = ("robust", "pretrained", "predictions", "groups")  # whose names are taken too


class Fold(Strict):
    """The part of a division of the replicate's training images that a model leaves out; all count from 1."""

    parts: Count
    division: Count
    part: Count


_N = Annotated[int, Field(ge=1, le=1000)]


class Twins(Strict):
    KEY: ClassVar = "twins_of"
    twins_of: Name  # a model of the same section
    n: _N  # how many twins
    label: OwnLabel = None  # before the number of each

    @property
    def of(self) -> str:
        return self.twins_of

    @property
    def kind(self) -> str:
        """What no two entries of one model may share, since their members would be the same models."""
        return "twins"

    def members(self) -> list[dict]:
        """Return what each member has in place of the model's."""
        return [{"twin": i} for i in range(1, self.n + 1)]


class Folds(Strict):
    KEY: ClassVar = "folds_of"
    folds_of: Name  # a model of the same section
    # into which the replicate's training images are divided, and each member leaves out one
    parts: Annotated[int, Field(ge=2, le=1000)]
    n: _N | None = None  # of members: `parts`, or a multiple of it
    label: OwnLabel = None

    @model_validator(mode="after")
    def _leaves_out_every_part_as_often(self) -> Self:
        if (self.n or self.parts) % self.parts:
            nearest = (self.n // self.parts + 1) * self.parts
            raise ValueError(f"n is {self.n}, which is no multiple of parts, {self.parts}; write n: {nearest}")
        return self

    @property
    def of(self) -> str:
        return self.folds_of

    @property
    def kind(self) -> str:
        return f"folds of {self.parts} parts"

    def members(self) -> list[dict]:
        found = []
        for i in range(self.n or self.parts):
            fold = Fold(parts=self.parts, division=i // self.parts + 1, part=i % self.parts + 1)
            found.append({"twin": i + 1, "fold": fold})
        return found


_KEYS = {each.KEY: each for each in (Twins, Folds)}  # by which an entry is known


def or_twins(kind: type):
    """Return the type of an entry that is a model of a kind, or stands for twins or folds of one."""

    def form(entry) -> str:
        if isinstance(entry, dict):
            return next((_KEYS[key] for key in _KEYS if key in entry), kind).__name__
        return type(entry).__name__ if _stands(entry) else kind.__name__

    return Annotated[
        Annotated[kind, Tag(kind.__name__)] | Annotated[Twins, Tag("Twins")] | Annotated[Folds, Tag("Folds")],
        Discriminator(form),
    ]


def _unwritten(given):
    if given is not None:
        raise ValueError("twins are numbered by themselves; write an entry NAME: { twins_of: MODEL, n: 5 }")


def _undivided(given):
    if given is not None:
        raise ValueError("folds are made by themselves; write an entry NAME: { folds_of: MODEL, parts: 5 }")


Twin = Annotated[Count | None, BeforeValidator(_unwritten)]  # the number of a twin, which no config gives
OwnFold = Annotated[Fold | None, BeforeValidator(_undivided)]


def with_twins(study):
    """Return a Study with twins and folds in the place of the entries that stand for them.

    Groups, students and enhancers (as siblings) may name such an entry, and get all its members. Raises UserError, a
    line a fault.
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
    changed["enhancers"] = dict(study.enhancers)
    for key, enhancer in study.enhancers.items():
        if siblings := getattr(enhancer, "siblings", None):
            changed["enhancers"][key] = enhancer.model_copy(update={"siblings": sorted(_all_of(siblings, names))})
    groups = study.groups.items()
    changed["groups"] = {k: g.model_copy(update={"members": _all_of(g.members, names)}) for k, g in groups}
    return study.model_copy(update=changed)


def _stands(entry) -> bool:
    return isinstance(entry, Twins | Folds)


def _names(key: str, entry: Twins | Folds) -> list[str]:
    return [f"{key}-{i}" for i in range(1, len(entry.members()) + 1)]


def _expanded(entries: dict, names: dict[str, list[str]]) -> dict:
    """Return a section with models where an entry stands for them."""
    found = {}
    for key, entry in entries.items():
        if not _stands(entry):
            found[key] = entry
            continue
        for name, own in zip(names[key], entry.members(), strict=True):
            label = f"{entry.label} {own['twin']}" if entry.label else None
            found[name] = entries[entry.of].model_copy(update={**own, "label": label})
    return found


def _all_of(given: list[str], names: dict[str, list[str]]) -> list[str]:
    return [name for each in given for name in names.get(each, [each])]


def _faults(asked: dict[str, str], names: dict[str, list[str]], study):
    """Yield an error for each entry that names no model, or one that it may not, or whose names are not free."""
    taken = [(name, section) for section in (*SECTIONS, *_OTHERS) for name in getattr(study, section)]
    first = {}
    for key, section in asked.items():
        entries = getattr(study, section)
        entry, model = entries[key], entries[key].of
        place = f"{section}.{key}.{entry.KEY}"
        if _stands(entries.get(model)):
            yield UserError(f"config: {place}: '{model}' stands for copies; name '{entries[model].of}', whose they are")
            continue
        try:
            check_known(place, model, _models(entries), f"a model of {section}")
        except UserError as fault:
            yield fault
        if (other := first.setdefault((section, model, entry.kind), key)) != key:
            yield UserError(f"config: {place}: '{model}' has the {entry.kind} '{other}'; raise their n instead")
        if isinstance(entry, Folds) and (segmenter := getattr(entries.get(model), "segmenter", None)):
            why = f"mixes by the masks of '{segmenter}', which learns from all images; name a model without a segmenter"
            yield UserError(f"config: {place}: '{model}' {why}")
        for name, of in taken:
            if name in names[key] or (name == key and of != section):
                what = f"the name '{name}' is taken by {of}.{name}; rename one of the two"
                yield UserError(f"config: {section}.{key}: {what}")


def _models(entries: dict) -> list[str]:
    return [name for name, entry in entries.items() if not _stands(entry)]

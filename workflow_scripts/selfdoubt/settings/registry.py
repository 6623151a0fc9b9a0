"""The settings of methods: a module for each in the folder of its kind, found by name.

`settings/mixing/cutmix.py` defines the keys of `method: cutmix`, `mixing/methods/cutmix.py` implements it. Jobs
import neither this module nor the settings.
"""

import importlib
from collections.abc import Iterator
from functools import cache, reduce
from operator import or_
from typing import Annotated, get_args

from pydantic import BaseModel, Field

from selfdoubt.runtime import methods

FOLDERS = {  # kind: the folder of the implementations; the settings are in settings/{kind}
    "sources": "data.sources",
    "shifts": "data.shifts",
    "corruptions": "data.corruptions",
    "scores": "evaluation.scores",
    "families": "models.families",
    "mixing": "mixing.methods",
    "techniques": "training.techniques",
    "losses": "distillation.losses",
    "targets": "distillation.targets",
    "enhancers": "enhancers.methods",
    "messages": "communication.messages",
    "protocols": "communication.protocols",
    "figures": "figures.kinds",
}
MIXER, FURTHER_OUTPUT, FURTHER_LOSS = "mixing.mixer", "models.disagreement", "distillation.disagreement"
PARTS = (MIXER, FURTHER_OUTPUT, FURTHER_LOSS)  # no methods, but loaded by name as they are, since few models need them


@cache
def settings_of(kind: str, by: str = "method", called: str = "Settings") -> dict[str, type[BaseModel]]:
    """Return the class `Settings` of each method of a kind by name, with its `implementation`.

    by: the key that names the method. called: another class, which not every method has.
    Raises TypeError if a class gives it another name than its module has: that is a programming error.
    """
    found = {}
    for name in methods.names_in(f"settings.{kind}"):
        module = importlib.import_module(f"selfdoubt.{methods.module_in(f'settings.{kind}', name)}")
        if called != "Settings" and not hasattr(module, called):
            continue
        settings = getattr(module, called)
        if get_args(settings.model_fields[by].annotation) != (name,):
            raise TypeError(f'{module.__name__}: {called} must have `{by}: Literal["{name}"]`, as the module is named')
        settings.implementation = methods.module_in(FOLDERS[kind], name)
        found[name] = settings
    return found


def any_of(kind: str, by: str = "method", called: str = "Settings"):
    """Return the type of a config entry that is any method of a kind, distinguished by the key `by`."""
    return Annotated[reduce(or_, settings_of(kind, by, called).values()), Field(discriminator=by)]


def modules_of(*entries) -> tuple[str, ...]:
    """Return the modules, below the library, of the methods that config entries name, sorted and each once."""
    return tuple(sorted(set().union(*map(_modules_in, entries))))


def modules_named(kind: str, names) -> tuple[str, ...]:
    """Return the modules of methods that the config gives by name alone."""
    return tuple(sorted({methods.module_in(FOLDERS[kind], name) for name in names}))


def _modules_in(entry) -> Iterator[str]:
    if isinstance(entry, BaseModel):
        if hasattr(entry, "implementation"):
            yield entry.implementation
        entry = dict(entry)
    if isinstance(entry, dict):
        entry = entry.values()
    elif not isinstance(entry, list | tuple):
        return
    for value in entry:
        yield from _modules_in(value)

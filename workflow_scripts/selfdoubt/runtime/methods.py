"""Methods by name: a module of a folder of the library, imported on first use.

The folder is the registry of its kind, so that a new method is a new module and no table of all of them is imported by
every job. A computed import escapes the digest of a script's imports; therefore `provenance.code_digest` is given the
methods that a job's settings name (`settings.registry.modules_of`), and a job may load no others.
"""

import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType

from selfdoubt.runtime.errors import UserError

_LIBRARY = Path(__file__).resolve().parents[1]
_allowed: set[str] | None = None  # modules below the library; None: all, as where people call a script or a function


def allow(modules: Iterable[str]) -> None:
    """Let this process load the methods of its digest alone: results must not depend on what no digest holds."""
    global _allowed
    _allowed = set(modules)


def load(folder: str, name: str) -> ModuleType:
    """Import the module of a method.

    folder: below the library, such as "mixing.methods". name: as in the config, such as "mask-cutmix".
    Raises UserError if the folder has no such method, RuntimeError if the job's digest does not hold it.
    """
    module = module_in(folder, name)
    if name not in names_in(folder):
        raise UserError(f"'{name}' is not a method of {folder}; choose from {', '.join(names_in(folder))}")
    if _allowed is not None and module not in _allowed:
        raise RuntimeError(f"{module} is not in this job's code digest; name it in the rule's `code`")
    return importlib.import_module(f"selfdoubt.{module}")


def module_in(folder: str, name: str) -> str:
    """Return a method's module below the library: "mixing.methods", "mask-cutmix" -> "mixing.methods.mask_cutmix"."""
    return f"{folder}.{name.replace('-', '_')}"


@cache
def names_in(folder: str) -> tuple[str, ...]:
    """Return the names of a folder's methods, sorted, as the config writes them."""
    paths = _LIBRARY.joinpath(*folder.split(".")).glob("[!_]*.py")
    return tuple(sorted(path.stem.replace("_", "-") for path in paths))

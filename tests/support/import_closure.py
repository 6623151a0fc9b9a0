"""Which scripts can reach which library modules, by the standard library's finder: independent of `provenance`."""

import re
from functools import cache
from modulefinder import ModuleFinder

from copies import ROOT

SCRIPTS = ROOT / "workflow_scripts"
RULES = {name for path in ROOT.glob("rules/*.smk") for name in re.findall(r"^rule (\w+):", path.read_text(), re.M)}


def library() -> list[str]:
    """Every module of the library by its path below workflow_scripts/."""
    return sorted(path.relative_to(SCRIPTS).as_posix() for path in (SCRIPTS / "selfdoubt").rglob("*.py"))


@cache
def rules_of_modules() -> dict[str, set[str]]:
    """The rules whose script imports a module, directly or not, inside functions or not."""
    found = {module: set() for module in library()}
    for rule in RULES:
        finder = ModuleFinder(path=[str(SCRIPTS)])
        finder.run_script(str(SCRIPTS / f"{rule}.py"))
        for module in finder.modules.values():
            if module.__file__ and module.__name__.startswith("selfdoubt"):
                found[module.__file__.removeprefix(f"{SCRIPTS}/")].add(rule)
    return found

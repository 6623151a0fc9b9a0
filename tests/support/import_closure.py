"""Which scripts and methods can reach which library modules, by the standard library's finder, not by `provenance`."""

import re
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

from copies import ROOT

from selfdoubt.settings.registry import FOLDERS, PARTS

SCRIPTS = ROOT / "workflow_scripts"
LIBRARY = SCRIPTS / "selfdoubt"
METHODS = {LIBRARY.joinpath(*folder.split(".")) for folder in FOLDERS.values()}
_RULE = re.compile(r"^rule (\w+):(?:.*\n)+?.*exec python \S*?(\w+)\.py", re.MULTILINE)
RULES = dict(_RULE.findall("\n".join(path.read_text() for path in sorted(ROOT.glob("rules/*.smk")))))  # rule: script


def library() -> list[str]:
    """Every module of the library by its path below workflow_scripts/."""
    return sorted(path.relative_to(SCRIPTS).as_posix() for path in (SCRIPTS / "selfdoubt").rglob("*.py"))


def methods() -> list[str]:
    """The modules of methods, and of parts that few models have, which jobs import by name."""
    parts = {f"selfdoubt/{part.replace('.', '/')}.py" for part in PARTS}
    own = [module for module in library() if (SCRIPTS / module).parent in METHODS or module in parts]
    return [module for module in own if "__init__" not in module]


@cache
def reached_from(path: str) -> set[str]:
    """The library's modules that a file below workflow_scripts/ imports, directly or not, inside functions or not."""
    finder = ModuleFinder(path=[str(SCRIPTS)])
    finder.run_script(str(SCRIPTS / path))
    files = [Path(module.__file__) for module in finder.modules.values() if module.__file__]
    own = {file.relative_to(SCRIPTS).as_posix() for file in files if file.is_relative_to(SCRIPTS / "selfdoubt")}
    return own | ({path} if path.startswith("selfdoubt/") else set())


@cache
def rules_of_modules() -> dict[str, set[str]]:
    """The rules whose script imports a module."""
    return {m: {rule for rule, script in RULES.items() if m in reached_from(f"{script}.py")} for m in library()}

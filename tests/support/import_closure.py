"""Which files import which modules of the library, and can reach which; `provenance` has no part in it."""

import ast
import re
from functools import cache
from pathlib import Path

from copies import ROOT

from selfdoubt.settings.registry import FOLDERS, PARTS

SCRIPTS = ROOT / "workflow_scripts"
LIBRARY = SCRIPTS / "selfdoubt"
MODULES = {".".join(path.relative_to(SCRIPTS).with_suffix("").parts): path for path in LIBRARY.rglob("*.py")}
METHODS = {LIBRARY.joinpath(*folder.split(".")) for folder in FOLDERS.values()}
_RULE = re.compile(r"^rule (\w+):(?:.*\n)+?.*exec python \S*?(\w+)\.py", re.MULTILINE)
RULES = dict(_RULE.findall("\n".join(path.read_text() for path in sorted(ROOT.glob("rules/*.smk")))))  # rule: script


@cache
def library() -> list[str]:
    """Every module of the library by its path below workflow_scripts/."""
    return sorted(path.relative_to(SCRIPTS).as_posix() for path in (SCRIPTS / "selfdoubt").rglob("*.py"))


@cache
def methods() -> list[str]:
    """The modules of methods, and of parts that few models have, which jobs import by name."""
    parts = {f"selfdoubt/{part.replace('.', '/')}.py" for part in PARTS}
    own = [module for module in library() if (SCRIPTS / module).parent in METHODS or module in parts]
    return [module for module in own if "__init__" not in module]


@cache
def imports(path: Path, only_top: bool = False) -> set[str]:
    """Every module that a file imports, inside functions or not; what it takes from a package by its full name."""
    tree, found = ast.parse(path.read_text()), set()
    for node in tree.body if only_top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found


@cache
def reached_from(path: str) -> set[str]:
    """The library's modules that a file below workflow_scripts/ imports, directly or not, inside functions or not."""
    found, waiting = {path} & {*library()}, [path]
    while waiting:
        parts = [module.split(".") for module in imports(SCRIPTS / waiting.pop())]
        steps = {"/".join(names[:i]) for names in parts for i in range(1, len(names) + 1)}  # packages run first
        new = ({f"{step}.py" for step in steps} | {f"{step}/__init__.py" for step in steps}) & {*library()} - found
        found |= new
        waiting += new
    return found


@cache
def rules_of_modules() -> dict[str, set[str]]:
    """The rules whose script imports a module."""
    return {m: {rule for rule, script in RULES.items() if m in reached_from(f"{script}.py")} for m in library()}

"""Keys that a config file gives twice: YAML readers keep the last one and ignore the others without a warning."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from selfdoubt.runtime.errors import UserError, together


def check_keys(*paths: Path) -> None:
    """Raise UserError, a line for each, if a mapping of a YAML file has a key twice.

    A file that is not valid YAML passes: its reader reports that.
    """
    found = [UserError(f"{path}: {fault}") for path in paths for fault in _repeated(_composed(path), "", set())]
    if found:
        raise together(found)


def _composed(path: Path) -> yaml.Node | None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # a tenth of the time, where PyYAML was built with it
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), loader)
    except (yaml.YAMLError, UnicodeDecodeError):
        return None


def _repeated(node: yaml.Node | None, place: str, seen: set[int]) -> Iterator[str]:
    """Yield a text about each repeated key at or below a node; seen: ids of nodes that are done."""
    if id(node) in seen:
        return
    seen.add(id(node))
    lines: dict[str, int] = {}
    if isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield from _repeated(value, f"{place}{i}.", seen)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in lines:
                yield f"{place}{key.value}: given in line {lines[key.value]} and again in line {line}; keep one of them"
            lines[key.value] = line
            yield from _repeated(value, f"{place}{key.value}.", seen)

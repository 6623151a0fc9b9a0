"""The names of timm's networks, read from its files: importing it takes seconds, and rules must not.

What is not found there is left to the job, which asks timm itself.
"""

import difflib
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_REGISTERED = re.compile(r"^@register_model\s*\ndef (\w+)\(", re.MULTILINE)
_DEPRECATIONS = re.compile(r"^register_model_deprecations\(__name__, \{(.*?)^\}\)", re.MULTILINE | re.DOTALL)
_RENAMED = re.compile(r"""['"](\w+)['"]\s*:\s*['"]([\w.]+)['"]""")


def fault_of(name: str) -> str | None:
    """Return what is wrong with a name, and the remedy; None if nothing is, or if timm is not installed here."""
    networks, renamed = _names()
    own = name.partition(".")[0]
    if name in renamed:
        return f"timm calls '{name}' '{renamed[name]}' now; write that"
    if not networks or own in networks:
        return None
    near = ", ".join(difflib.get_close_matches(own, networks, n=5))
    return f"timm has no model '{name}'; near it: {near or 'none'}"


@cache
def _names() -> tuple[set[str], dict[str, str]]:
    """Return the names of all networks, and the present names by those that timm has given up."""
    found = find_spec("timm")
    networks, renamed = set(), {}
    for folder in found.submodule_search_locations if found else []:
        for path in sorted(Path(folder, "models").glob("*.py")):
            text = path.read_text(encoding="utf-8")
            networks.update(_REGISTERED.findall(text))
            for table in _DEPRECATIONS.findall(text):
                renamed.update(_RENAMED.findall(table))
    return networks - renamed.keys(), renamed

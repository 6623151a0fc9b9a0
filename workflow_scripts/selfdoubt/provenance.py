"""What a result depends on, as two texts that Snakemake compares: canonical settings and a code digest.

The digest walks the imports of a script under workflow_scripts/, those inside functions too, and hashes
each module's syntax tree without docstrings. So a comment reruns nothing, and a change two imports away
reruns just what it can change. Imports by computed name would escape it; the library has none.
"""

import ast
import hashlib
from functools import cache
from importlib import metadata
from pathlib import Path

from selfdoubt.digests import canonical, digest

__all__ = ["canonical", "closure", "code_digest", "digest"]  # no job imports this module: a change reruns nothing
SCRIPTS = Path(__file__).resolve().parent.parent
_DECISIVE = {"torch": "torch", "timm": "timm", "segmentation_models_pytorch": "segmentation-models-pytorch"}


@cache
def code_digest(script: str) -> str:
    """Return 16 hex digits of workflow_scripts/{script}.py, all that it imports from there, its data files
    (a report's template and style) and the versions of the packages that decide results."""
    digest, packages = hashlib.sha256(), set()
    for path in closure(SCRIPTS / f"{script}.py"):
        digest.update(f"{path.relative_to(SCRIPTS)}\0".encode())
        meaning, _, decisive = _read(path)
        digest.update(meaning)
        packages |= decisive
    for module in sorted(packages):
        digest.update(f"{module}=={_version(_DECISIVE[module])}\0".encode())
    return digest.hexdigest()[:16]


def closure(script: Path) -> list[Path]:
    """Return the script and every file under workflow_scripts/ that it imports, directly or not, sorted."""
    found, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _read(path)[1]
    return sorted(found)


def _version(package: str) -> str:
    """Return the installed version; "elsewhere" where jobs bring their own environment, whose file is compared."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "elsewhere"


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def _read(path: Path) -> tuple[bytes, tuple[Path, ...], frozenset[str]]:
    """Return a file's meaning, and the files under workflow_scripts/ and the decisive packages that it imports.

    The meaning of Python is its syntax tree without docstrings; of any other file, its bytes. One parse and one walk
    serve both: this is a good part of the time that Snakemake takes to start.
    """
    if path.suffix != ".py":
        return path.read_bytes(), (), frozenset()
    tree, names = ast.parse(path.read_bytes()), set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:]
    names |= {name[:i] for name in names for i, letter in enumerate(name) if letter == "."}  # packages on the way
    files = {file for name in names for file in _files_of(name)}
    packages = frozenset(name.split(".")[0] for name in names) & _DECISIVE.keys()
    return ast.dump(tree).encode(), tuple(sorted(files)), packages


def _files_of(module: str) -> list[Path]:
    """Return a module's file, or a package's __init__ and data files; nothing for modules from elsewhere."""
    place = SCRIPTS.joinpath(*module.split("."))
    if place.with_suffix(".py").is_file():
        return [place.with_suffix(".py")]
    if (place / "__init__.py").is_file():
        data = [file for file in place.iterdir() if file.suffix in (".j2", ".css")]
        return [place / "__init__.py", *data]
    return []

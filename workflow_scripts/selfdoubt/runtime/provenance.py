"""What a result depends on, as two texts that Snakemake compares: canonical settings and a code digest.

The digest walks the imports of a script under workflow_scripts/, those inside functions too, and hashes
each module's syntax tree without docstrings. So a comment reruns nothing, and a change two imports away
reruns just what it can change. Methods are imported by computed name, which would escape it: the modules of those that
a job's settings name are handed over.

Parsing takes half a second of each start of Snakemake, so `recall` and `keep` hand on what was found, by the content of
files.
"""

import ast
import hashlib
import json
import sys
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.digests import canonical, digest
from selfdoubt.runtime.errors import UserError

# no job imports this module: a change reruns nothing
__all__ = ["canonical", "closure", "code_digest", "digest", "keep", "recall"]
SCRIPTS = Path(__file__).resolve().parents[2]
_DECISIVE = {"torch": "torch", "timm": "timm", "segmentation_models_pytorch": "segmentation-models-pytorch"}


@cache
def code_digest(script: str, modules: tuple[str, ...] = ()) -> str:
    """Return 16 hex digits and a colon: the digest of workflow_scripts/{script}.py, of all that it imports from there,
    data files (a report's template and style) included, and of the versions of the packages that decide results.

    modules: below the library, of the methods that the job's settings name; they and what they import count too, and
    their names follow the colon, so that the job can load no others (`methods.allow`).
    """
    digest, packages = hashlib.sha256(), set()
    methods = [SCRIPTS.joinpath("selfdoubt", *module.split(".")).with_suffix(".py") for module in modules]
    for path in closure(SCRIPTS / f"{script}.py", *methods):
        meaning, _, decisive = _read(path)
        digest.update(f"{path.relative_to(SCRIPTS)}\0{meaning}\0".encode())
        packages |= decisive
    for module in sorted(packages):
        digest.update(f"{module}=={_version(_DECISIVE[module])}\0".encode())
    return f"{digest.hexdigest()[:16]}:{','.join(modules)}"


def closure(*roots: Path) -> list[Path]:
    """Return the files and every file under workflow_scripts/ that they import, directly or not, sorted."""
    found, waiting = set(), [*roots]
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
def _read(path: Path) -> tuple[str, tuple[Path, ...], frozenset[str]]:
    """Return a digest of a file's meaning, and the files under workflow_scripts/ and the decisive packages it imports.

    The meaning of Python is its syntax tree without docstrings; of any other file, its bytes.
    """
    source = path.read_bytes()
    if path.suffix != ".py":
        return hashlib.sha256(source).hexdigest(), (), frozenset()
    key = hashlib.sha256(source).hexdigest()
    if key not in _found:
        _found[key] = _recalled.get(key) or _parse(source)
    meaning, names = _found[key]
    files = {file for name in names for file in _files_of(name, SCRIPTS)}
    return meaning, tuple(sorted(files)), frozenset(name.split(".")[0] for name in names) & _DECISIVE.keys()


def _parse(source: bytes) -> tuple[str, list[str]]:
    """Return a digest of a module's meaning, and what it imports; one parse and one walk serve both."""
    tree, names = ast.parse(source), set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(body, list) and body and _is_text(body[0]):
            node.body = body[1:]
    names |= {name[:i] for name in names for i, letter in enumerate(name) if letter == "."}  # packages on the way
    return hashlib.sha256(_text(tree).encode()).hexdigest(), sorted(names)


def _text(node) -> str:
    """Return a syntax tree as a text that is the same for every Python from 3.11 on.

    Not `ast.dump`: 3.12 adds an empty list of type parameters to each function, and 3.13 leaves out what is empty.
    Early releases of 3.12 end the format of a formatted value, f"{x:>{n}}", with an empty text.
    """
    if isinstance(node, ast.JoinedStr):
        node = ast.JoinedStr([part for part in node.values if getattr(part, "value", None) != ""])
    if isinstance(node, list):
        return f"[{', '.join(map(_text, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = [(name, value) for name, value in ast.iter_fields(node) if value is not None and value != []]
    return f"{type(node).__name__}({', '.join(f'{name}={_text(value)}' for name, value in fields)})"


# ---- from one process to the next ----

_found: dict[str, tuple[str, list[str]]] = {}  # by the digest of a module's bytes: what _parse returns for it
_recalled: dict[str, tuple[str, list[str]]] = {}


def recall(path: Path) -> None:
    """Take over what an earlier process found; nothing where that is missing, broken or of another version of this."""
    with suppress(OSError, ValueError):
        kept = json.loads(path.read_text())
        if isinstance(kept, dict) and kept.get("by") == _author():
            _recalled.update(kept["modules"])


def keep(path: Path) -> None:
    """Write down what was found, for the next process, unless it was known or nothing can be written there."""
    if _found.keys() <= _recalled.keys():
        return
    with suppress(OSError, UserError), atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"by": _author(), "modules": _found}))


@cache
def _author() -> str:
    """Return what decides how a module is read: this file, and Python."""
    return f"{sys.version_info[:2]} {hashlib.sha256(Path(__file__).read_bytes()).hexdigest()}"


@cache  # hundreds of modules import the same few, and each look costs two accesses of the disk
def _files_of(module: str, scripts: Path) -> tuple[Path, ...]:
    """Return a module's file, or a package's __init__ and data files; nothing for modules from elsewhere.

    scripts: the folder workflow_scripts/.
    """
    place = scripts.joinpath(*module.split("."))
    if place.with_suffix(".py").is_file():
        return (place.with_suffix(".py"),)
    if (place / "__init__.py").is_file():
        data = [file for file in place.iterdir() if file.suffix in (".j2", ".css", ".js")]
        return (place / "__init__.py", *data)
    return ()

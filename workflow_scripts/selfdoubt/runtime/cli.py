"""What every script under workflow_scripts/ has in common: arguments, errors, and dying with its parent."""

import argparse
import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

from selfdoubt.runtime import gpu_leases, methods
from selfdoubt.runtime.errors import UserError, lacks_memory, lacks_room

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_DECISIVE_PACKAGES = ("numpy", "segmentation-models-pytorch", "timm", "torch")  # their versions decide results


class MissingSetting(UserError, AttributeError):
    """A key that a step needs is not in its --settings."""


class Settings(SimpleNamespace):
    """Settings as attributes, made of JSON; a missing one is the user's fault, not a stack trace."""

    def __getattr__(self, name: str):
        raise MissingSetting(f"--settings: key '{name}' is missing; keys: {', '.join(vars(self)) or 'none'}")


def parse_settings(text: str) -> Settings:
    """Parse JSON into nested Settings; objects keyed by names stay reachable by vars()."""
    return json.loads(text, object_hook=lambda pairs: Settings(**pairs))


def main(
    run: Callable,
    files: dict[str, str],
    *,
    several: tuple[str, ...] = (),
    listed: tuple[str, ...] = (),
    optional: tuple[str, ...] = (),
    replicated: bool = False,
    computes: bool = False,
) -> None:
    """Parse the command line, call run(arguments) and turn a UserError into one line and exit code 1.

    files: option name -> help. several: those that take any number of paths. listed: those of them that also take
    @FILE, which holds the paths, one a line. optional: those that may be left out, and are None then. Every script has
    --settings (JSON, or @FILE) and --code (the digest that goes into the outputs' metadata); replicated ones have
    --replicate; those that compute on a device have --gpu. `arguments.metadata` is the provenance that a script writes
    into its outputs.
    """
    _die_with_parent()
    _spare_pandas()
    arguments = _parser(files, several, optional, replicated, computes).parse_args()
    try:
        if computes and arguments.gpu is not None and "RANK" not in os.environ:  # ranks have their parent's
            gpu_leases.take(arguments.gpu)
        _read_files(arguments, listed)
        if ":" in arguments.code:  # as rules give it
            methods.allow(arguments.code.partition(":")[2].split(","))
        arguments.metadata = _provenance(arguments)
        arguments.settings = parse_settings(arguments.settings)
        run(arguments)
    except json.JSONDecodeError as error:
        sys.exit(f"{_script()}: --settings: not JSON: {error}")
    except UserError as error:
        sys.exit(f"{_script()}: {error}")
    except KeyboardInterrupt:
        sys.exit(f"{_script()}: interrupted")
    except (MemoryError, RuntimeError) as error:
        if not lacks_memory(error):
            raise
        sys.exit(f"{_script()}: out of memory; lower the batch size or give the job more")
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        sys.exit(f"{_script()}: {'the disk is full; make room and run again' if lacks_room(error) else error}")


def _parser(files, several, optional, replicated: bool, computes: bool) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    for name, meaning in files.items():
        count = {"nargs": "*", "default": []} if name in several else {"required": name not in optional}
        parser.add_argument(f"--{name}", type=Path, help=meaning, metavar="FILE", **count)
    parser.add_argument(
        "--settings", default="{}", help="JSON of the part of the config that this step depends on, or @FILE of it"
    )
    parser.add_argument("--code", default="by-hand", help="digest of the code, and the methods that it holds")
    if replicated:
        parser.add_argument("--replicate", type=int, required=True)
    if computes:
        parser.add_argument("--gpu", type=int, metavar="N", help="lease so many GPUs; left out: use what there is")
    return parser


def _read_files(arguments: argparse.Namespace, listed: tuple[str, ...]) -> None:
    """Put what a file holds in the place of @FILE: the kernel limits arguments, and a large study's are longer."""
    if arguments.settings.startswith("@"):
        arguments.settings = Path(arguments.settings[1:]).read_text()
    for name in listed:
        given = list(map(str, getattr(arguments, name)))
        if len(given) == 1 and given[0].startswith("@"):
            setattr(arguments, name, list(map(Path, Path(given[0][1:]).read_text().splitlines())))


def _provenance(arguments: argparse.Namespace) -> dict:
    known = {"settings": json.loads(arguments.settings), "code": arguments.code.partition(":")[0]}
    known["packages"] = versions(_DECISIVE_PACKAGES)
    return known | ({"replicate": arguments.replicate} if hasattr(arguments, "replicate") else {})


def without_paths(metadata: dict) -> dict:
    """Return provenance whose source is but of its kind: where one's own copy lies is no part of a result."""
    settings = metadata["settings"]
    kind, _, place = settings.get("source", "").partition(":")
    if kind in ("embedded", "sklearn", "built-in") or not place:
        return metadata
    return metadata | {"settings": settings | {"source": kind}}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _die_with_parent() -> None:
    """Ask the kernel to end this process when Snakemake's job shell, or Snakemake, dies (Linux only)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent or not _engine_runs():  # it died before we asked, perhaps while we imported torch
        sys.exit("parent process is gone")


def _spare_pandas() -> None:
    """Have pyarrow look for pandas now and find none, unless it is loaded already.

    Its first conversion would import pandas, a third of a second in a job that does not need it. That pandas may be
    missing is what pyarrow is made for; `to_pandas` looks for it again.
    """
    if "pyarrow" not in sys.modules or "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        sys.modules["pyarrow"].array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A finder of modules by which there is no pandas."""

    @staticmethod
    def find_spec(name: str, path=None, target=None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is left out", name=name)


def _engine_runs() -> bool:
    """Whether the Snakemake that started this job, if one did, is still there."""
    try:
        os.kill(int(os.environ.get("SELFDOUBT_ENGINE", os.getpid())), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's
        return True
    return True


def _script() -> str:
    return Path(sys.argv[0]).stem

"""What all scripts under workflow_scripts/ share: arguments, error messages, and ending with their parent process."""

import argparse
import ctypes
import json
import os
import signal
import sys
import time
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
    """A key that a script needs is missing from its --settings."""


class Settings(SimpleNamespace):
    """Settings from JSON as attributes; a missing one raises MissingSetting, a UserError."""

    def __getattr__(self, name: str):
        raise MissingSetting(f"--settings: key '{name}' is missing; keys: {', '.join(vars(self)) or 'none'}")


def parse_settings(text: str) -> Settings:
    """Parse JSON into nested Settings; vars() gives an object as a dict."""
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
    """Parse the command line and call run(arguments); a UserError ends the script with one line and exit code 1.

    files: help by option. several: options that take any number of paths. listed: those of them that also take @FILE,
    which holds the paths, one a line. optional: options that may be left out, and are None then. replicated: whether
    the script has --replicate. computes: whether it has --gpu. Every script has --settings (JSON, or @FILE) and --code.

    `arguments.metadata` is the provenance that a script writes into its outputs.
    """
    _die_with_parent()
    _hide_pandas_from_pyarrow()
    arguments = _parser(files, several, optional, replicated, computes).parse_args()
    try:
        if computes and arguments.gpu is not None and "RANK" not in os.environ:  # ranks have their parent's
            gpu_leases.take(arguments.gpu)
        _read_files(arguments, listed)
        by_rule = ":" in arguments.code
        if by_rule:
            methods.allow(arguments.code.partition(":")[2].split(","))
        arguments.metadata = _provenance(arguments)
        arguments.settings = parse_settings(arguments.settings)
        began = time.process_time()
        run(arguments)
        if by_rule:  # what a job takes beyond this is its start
            print(f"worked {time.process_time() - began:.2f} s of processor time")
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
        "--settings", default="{}", help="the part of the config that this step depends on, as JSON, or @FILE with it"
    )
    parser.add_argument("--code", default="by-hand", help="digest of the code, and the methods that it holds")
    if replicated:
        parser.add_argument("--replicate", type=int, required=True)
    if computes:
        parser.add_argument("--gpu", type=int, metavar="N", help="number of GPUs to lease; left out: use any")
    return parser


def _read_files(arguments: argparse.Namespace, listed: tuple[str, ...]) -> None:
    """Replace @FILE by the content of the file: the kernel limits the length of arguments."""
    if arguments.settings.startswith("@"):
        arguments.settings = Path(arguments.settings[1:]).read_text()
    for name in listed:
        given = list(map(str, getattr(arguments, name)))
        if len(given) == 1 and given[0].startswith("@"):
            lines = Path(given[0][1:]).read_text().splitlines()
            setattr(arguments, name, [Path(line) for line in lines if line])  # printf ends nothing by a line, too


def _provenance(arguments: argparse.Namespace) -> dict:
    known = {"settings": json.loads(arguments.settings), "code": arguments.code.partition(":")[0]}
    known["packages"] = versions(_DECISIVE_PACKAGES)
    return known | ({"replicate": arguments.replicate} if hasattr(arguments, "replicate") else {})


def without_paths(metadata: dict, source: str | None = None) -> dict:
    """Return provenance without the path in `source`: where a user keeps files is not part of a result.

    source: what it is without the path; None: the kind alone.
    """
    settings = metadata["settings"]
    if "source" not in settings:
        return metadata
    return metadata | {"settings": settings | {"source": source or settings["source"].partition(":")[0]}}


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed."""
    found = {}
    for name in packages:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _die_with_parent() -> None:
    """Have the kernel end this process when its parent, Snakemake's job shell, ends (Linux only)."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent or not _engine_runs():  # it ended before that call, perhaps while torch was imported
        sys.exit("parent process is gone")


def _hide_pandas_from_pyarrow() -> None:
    """Make pyarrow look for pandas now and find none, unless it is loaded already.

    Its first conversion would import pandas, a third of a second in a job that does not need it. pyarrow works without
    pandas, and `to_pandas` looks for it again.
    """
    if "pyarrow" not in sys.modules or "pandas" in sys.modules:
        return
    sys.meta_path.insert(0, _NoPandas)
    try:
        sys.modules["pyarrow"].array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A module finder that reports pandas as not installed."""

    @staticmethod
    def find_spec(name: str, path=None, target=None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError("pandas is hidden from pyarrow", name=name)


def _engine_runs() -> bool:
    """Return whether the Snakemake that started this job, if one did, still runs."""
    try:
        os.kill(int(os.environ.get("SELFDOUBT_ENGINE", os.getpid())), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # someone else's
        return True
    return True


def _script() -> str:
    return Path(sys.argv[0]).stem

"""Snakemake, imported once: each line asked for, the arguments of `run` as JSON, runs in a fork of it.

Importing it is a third of a dry run's time, and the tests make more than a hundred of them. What the rules import of
the library, from the folder given, is another third; a copy whose library was edited imports its own.
"""

import gc
import importlib
import json
import os
import sys

import pandas  # noqa: F401 - which Snakemake imports when it has read the rules
import pydantic  # noqa: F401 - which the rules import
import smart_open  # noqa: F401 - by which Snakemake reads rules
from snakemake.cli import get_argument_parser, main

get_argument_parser()  # finds the plugins, which takes as long again
sys.path.insert(0, sys.argv[1])
for module in ("catalog", "duplicates", "files", "memory", "registration", "split_names", "study", "upper_bounds"):
    importlib.import_module(f"selfdoubt.settings.{module}")
for module in ("provenance", "run_lock", "shared_data"):
    importlib.import_module(f"selfdoubt.runtime.{module}")
del sys.path[0]
gc.freeze()  # what is shared with forks stays so


def run(folder: str, stdout: str, stderr: str, environment: dict[str, str], own_library: bool, arguments: list[str]):
    """Become a Snakemake that was started in a folder, with its output in files."""
    for name in [name for name in sys.modules if own_library and name.partition(".")[0] == "selfdoubt"]:
        del sys.modules[name]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    gc.disable()
    main(arguments)


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)

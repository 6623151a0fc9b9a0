"""Snakemake, imported once: each line asked for, [folder, stdout, stderr, arguments...] as JSON, runs in a fork of it.

Importing it is a third of a dry run's time, and the tests make some sixty of them.
"""

import json
import os
import sys

import pandas  # noqa: F401 - which Snakemake imports when it has read the rules
import pydantic  # noqa: F401 - which the rules import
from snakemake.cli import get_argument_parser, main

get_argument_parser()  # finds the plugins, which takes as long again


def run(folder: str, stdout: str, stderr: str, *arguments: str):
    """Become a Snakemake that was started in a folder, with its output in files."""
    os.chdir(folder)
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    main(list(arguments))


if __name__ == "__main__":
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)

"""List what lies under results/ and is not of the default study, nor of others that are named; deletes nothing."""

import argparse
import subprocess
import sys
from pathlib import Path

from selfdoubt.runtime import leftovers


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", metavar="STUDY.yaml", help="further studies whose results are wanted")
    parser.add_argument("--paths", action="store_true", help="print the paths alone, for a command of one's own")
    arguments = parser.parse_args()
    planned = set().union(
        *(planned_by(*options) for options in [[], *(["--configfile", s] for s in arguments.studies)])
    )
    found = leftovers.find(Path("results"), planned)
    for line in [each.path for each in found] if arguments.paths else [leftovers.table(found)]:
        print(line)


def planned_by(*options: str) -> set[str]:
    """Return every file that a study would write, were it made from nothing."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--forceall", "--cores", "1", *options]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stderr + run.stdout)
    return leftovers.planned_files(run.stdout + run.stderr)


if __name__ == "__main__":
    main()

"""What each kind of job takes before it begins: `python workflow_scripts/NAME.py --help`, which imports all that
stands at the top of its modules and computes nothing.
"""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow_scripts"
LARGE = ("torch", "torchvision", "timm", "segmentation_models_pytorch", "scipy", "sklearn", "matplotlib", "pandas")
REPEATS = 5
PRINT_MODULES = """
import atexit, runpy, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
sys.argv.pop(0)
sys.path.insert(0, sys.argv[0].rpartition("/")[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def rows() -> list:
    """Return nothing: no target is set for it."""
    return []


def notes() -> list[str]:
    """Return the table, as lines of the page."""
    lines = ["Processor seconds of a job's start (`--help`, median of five) and the large packages that it loads:", ""]
    lines += ["| script | s | loads |", "|---|--:|---|"]
    lines += [f"| {path.stem} | {seconds(path):.2f} | {', '.join(loaded(path))} |" for path in scripts()]
    return [*lines, ""]


def scripts() -> list[Path]:
    """Return every script that a rule runs, as it stands in the rules."""
    named = {name for file in SCRIPTS.parent.glob("rules/*.smk") for name in re.findall(r"(\w+)\.py", file.read_text())}
    return [path for path in sorted(SCRIPTS.glob("*.py")) if path.stem in named]


def seconds(path: Path) -> float:
    """Return the processor seconds of a start, of all threads."""
    found = []
    for _ in range(REPEATS + 1):  # the first fills caches
        child = subprocess.Popen([sys.executable, path, "--help"], stdout=subprocess.DEVNULL, env=one_thread())
        _, status, usage = os.wait4(child.pid, 0)
        if status:
            sys.exit(f"{path.name} --help failed")
        found.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(found[1:])


def loaded(path: Path) -> list[str]:
    """Return which of LARGE a start imports."""
    command = [sys.executable, "-c", PRINT_MODULES, path, "--help"]
    log = subprocess.run(command, capture_output=True, text=True, env=one_thread(), check=True).stderr
    return [name for name in LARGE if name in log.split()]


def one_thread() -> dict[str, str]:
    """Return the environment of a job that has one thread."""
    return os.environ | {"OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    print("\n".join(notes()))

"""Snakemake on generated studies of 100 to 10,000 jobs: seconds and memory of a dry run, and of each job's start.

    python benchmarks/scale.py 100 1000

prints a line for each size. The study is the default one with more students and replicates; jobs are fakes that make
their files, so that all that is measured is Snakemake and our rules.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import same_graph
from measure import Row

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests/support"), str(ROOT / "workflow_scripts")]

from copies import copy_repository, fake_jobs  # noqa: E402 - of tests/

SIZES = (100, 1_000, 5_000, 10_000)
LIMIT_SECONDS, LIMIT_MB = 10.0, 400.0
PLUGIN = "snakemake_executor_plugin_slurm"
BARE = """
rule all:
    input: expand("c/{{i}}", i=range({n}))
rule first:
    output: "a/{{i}}"
    shell: "touch {{output}}"
rule second:
    input: "a/{{i}}"
    output: "b/{{i}}"
    shell: "touch {{output}}"
rule third:
    input: "b/{{i}}"
    output: "c/{{i}}"
    shell: "touch {{output}}"
"""
# Its peak memory, from the kernel, is the last line: ru_maxrss would be no less than what started it has.
LAUNCH = """
import atexit, re, sys
from snakemake.cli import main
def peak():
    print("peak", re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr, flush=True)
atexit.register(peak)
main(sys.argv[1:])
"""


@dataclass
class Size:
    """What a study of so many jobs takes."""

    jobs: int
    dry_seconds: float  # of a dry run where nothing is there yet
    dry_mb: float
    bare_seconds: float  # of a dry run of as many jobs that have nothing but an input and an output
    same_seconds: float  # of a bare Snakefile with the same jobs, and the same files of each
    done_seconds: float  # of a run with nothing to do
    done_mb: float
    bare_done_seconds: float  # of one of both bare Snakefiles
    same_done_seconds: float
    engine_ms: float  # a job, of a run whose jobs do nothing


COLUMNS = {"jobs": "jobs", "dry_seconds": "dry run, s", "dry_mb": "MB", "bare_seconds": "bare, s"}
COLUMNS |= {"same_seconds": "same graph, s", "done_seconds": "nothing to do, s", "done_mb": "MB"}
COLUMNS |= {"bare_done_seconds": "bare, s", "same_done_seconds": "same graph, s", "engine_ms": "engine, ms a job"}
DIGITS = dict.fromkeys((name for name in COLUMNS if name.endswith("_seconds")), 1)


def rows() -> Iterator[Row]:
    """Yield what the largest study takes against bare Snakefiles and limits; the curve is in `data`."""
    largest = curve()[-1]
    what = f"dry run of a study of {largest.jobs:,} jobs"
    same = "a bare Snakefile with the same jobs, inputs, outputs, logs and benchmarks"
    yield Row(what, same, largest.dry_seconds, largest.same_seconds, "s", "≤", 1.2)
    bare = "a bare Snakefile of as many jobs with an input and an output each"
    yield Row(what, bare, largest.dry_seconds, largest.bare_seconds, "s", "≤", 1.2, PARTS)
    done = f"nothing to do in a study of {largest.jobs:,} jobs"
    yield Row(done, same, largest.done_seconds, largest.same_done_seconds, "s", "≤", 1.2)
    yield Row(done, bare, largest.done_seconds, largest.bare_done_seconds, "s", "≤", 1.2, PARTS)
    yield Row(what, f"a limit of {LIMIT_SECONDS:g} s", largest.dry_seconds, LIMIT_SECONDS, "s", "≤", 1, PARTS)
    yield Row(what, f"a limit of {LIMIT_MB:g} MB", largest.dry_mb, LIMIT_MB, "MB", "≤", 1, f"{PARTS}{_of_plugin()}")


PARTS = "the files of each job, which Snakemake looks at one by one (docs/decisions/0013)"
_curve: list[Size] = []


def _of_plugin() -> str:
    """Return a note where Snakemake loads the Slurm plugin, installed for the tests, at each start."""
    return "; pandas, which the installed Slurm plugin loads at each start, is part of it" if find_spec(PLUGIN) else ""


def curve() -> list[Size]:
    """Return what each of SIZES takes, measured once."""
    if not _curve:
        _curve.extend(measure(n) for n in SIZES)
    return _curve


def data() -> dict:
    """Return the curve, and whether Snakemake loaded the Slurm plugin."""
    return {"sizes": [asdict(size) for size in curve()], "plugin": bool(find_spec(PLUGIN))}


def lines(data: dict) -> list[str]:
    """Return what `data` did, when it was measured, as lines of the page; a column that it lacks was not measured."""
    shown = ["Snakemake on studies of many jobs, whose jobs do nothing (`python benchmarks/scale.py`):", ""]
    shown += [
        "`bare`: a Snakefile of as many jobs with one input and one output; `same graph`: with as many files as ours",
        "of each. Of both, nothing to do is timed with outputs and records that were made without running jobs.",
        "",
    ]
    shown += [f"| {' | '.join(COLUMNS.values())} |", "|" + "--:|" * len(COLUMNS)]
    for size in data["sizes"]:
        cells = (f"{size[name]:,.{DIGITS.get(name, 0)}f}" if name in size else "not measured" for name in COLUMNS)
        shown.append(f"| {' | '.join(cells)} |")
    if data["plugin"]:
        shown += ["", "The Slurm plugin was installed, which loads pandas at each start of Snakemake."]
    return [*shown, ""]


def measure(n_jobs: int) -> Size:
    """Plan, run with fakes, and plan again a study of about so many jobs, and plan bare Snakefiles of as many."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_repository(Path(folder) / "repository")
        fake_jobs(copy)
        copy.edit_config(lambda config: enlarge(config, n_jobs))
        dry_seconds, dry_mb, shown = snakemake(copy.folder, "--dry-run")
        jobs = int(re.search(r"^total +(\d+)", shown, re.MULTILINE)[1])
        bare, same = Path(folder) / "bare", Path(folder) / "same"
        bare.mkdir()
        (bare / "Snakefile").write_text(BARE.format(n=(jobs - 1) // 3))
        same_graph.write(copy.folder, same)
        bare_seconds, same_seconds = (snakemake(each, "--dry-run")[0] for each in (bare, same))
        seconds, _, _ = snakemake(copy.folder)
        done_seconds, done_mb = nothing_to_do(copy.folder)
        for each in (bare, same):
            same_graph.finish(each)
        of_bare, of_same = (nothing_to_do(each)[0] for each in (bare, same))
        engine_ms = (seconds - done_seconds) / jobs * 1000
        dry = (dry_seconds, dry_mb, bare_seconds, same_seconds)
        return Size(jobs, *dry, done_seconds, done_mb, of_bare, of_same, engine_ms)


def nothing_to_do(folder: Path) -> tuple[float, float]:
    """Return the seconds and the peak memory in MB of a run whose jobs are all done."""
    seconds, mb, shown = snakemake(folder)
    if "Nothing to be done" not in shown:
        sys.exit(f"{folder.name}: a run after the last found work to do")
    return seconds, mb


def enlarge(config: dict, n_jobs: int) -> None:
    """Give the default study more replicates, and students until it has about n_jobs; each adds three a replicate."""
    n_replicates = 10 if n_jobs >= 1000 else 2
    config["replicates"] = list(range(1, n_replicates + 1))
    jobs_as_it_is = 22 + 34 * n_replicates
    names = [f"kd-{i}" for i in range((n_jobs - jobs_as_it_is) // (3 * n_replicates))]
    for i, name in enumerate(names):
        loss = {"method": "kd", "temperature": 1 + i / 8, "alpha": 0.9}
        config["students"][name] = config["students"]["kd"] | {"loss": loss}
    config["studies"]["distillation"]["arms"] += names


def snakemake(folder: Path, *arguments: str) -> tuple[float, float, str]:
    """Run it, and return its seconds, its peak memory in MB and its output."""
    command = [sys.executable, "-c", LAUNCH, "--cores", "2", "--resources", "gpu=4", *arguments]
    start = time.perf_counter()
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ, check=False)
    seconds = time.perf_counter() - start
    if run.returncode:
        sys.exit(run.stdout[-3000:] + run.stderr[-3000:])
    return seconds, int(re.findall(r"^peak (\d+)$", run.stderr, re.MULTILINE)[-1]) / 1024, run.stdout + run.stderr


if __name__ == "__main__":
    for n in [int(text) for text in sys.argv[1:]] or SIZES:
        print("  ".join(f"{name} {value:.4g}" for name, value in asdict(measure(n)).items()), flush=True)

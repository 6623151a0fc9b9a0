"""What a new user waits for: the default study from a fresh clone, and again after small changes.

A clone of the last commit is made in a temporary folder; nothing of the checkout but its history is used.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import yaml
from measure import Row

ROOT = Path(__file__).resolve().parent.parent
# What `make run` does, and then the processor seconds of all that it started, from the kernel.
RUN = """
import atexit, os, resource, sys
from snakemake.cli import main
os.environ["PATH"] = os.path.abspath(".venv/bin") + os.pathsep + os.environ["PATH"]
def print_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print("jobs", used.ru_utime + used.ru_stime, file=sys.stderr, flush=True)
atexit.register(print_seconds)
main(["--cores", "all", "--resources", "gpu=4"])
"""


def rows() -> Iterator[Row]:
    """Yield the rows of the whole study, whose run is the first thing that is done."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "clone"
        command = _Command(folder)
        cloning = command.seconds("git", "clone", "--quiet", str(ROOT), str(folder), where=ROOT)
        installing = command.seconds("make", "env")
        running = command.seconds(".venv/bin/python", "-c", RUN)
        of_jobs = float(re.search(r"^jobs ([\d.]+)$", command.shown, re.MULTILINE)[1])
        whole = (cloning + installing + running) / 60
        parts = f"cloning and installing took {cloning + installing:.0f} s of it"
        yield Row("the default study from a fresh clone", "a limit of 10 minutes", whole, 10, "minutes", "≤", 1, parts)
        n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        against = "its jobs' CPU seconds over cores"
        yield Row("the default study, installed", against, running, of_jobs / n_cores, "s", "≤", 1.2)
        yield _memory_row(folder)
        again = min(command.seconds("make", "run") for _ in range(3))
        empty = f"a Snakefile of one rule took {_nothing_of_nothing(folder):.1f} s at the same time"
        yield Row("nothing to do", "a limit of 2 s", again, 2, "s", "≤", 1, empty)
        figure = _restyle(folder)
        seconds = command.seconds("make", "run")
        steps = int(re.findall(r"^(\d+) of \1 steps", command.shown, re.MULTILINE)[-1])
        what = f"a new style of the figure {figure}: {steps - 1} jobs"  # the target `all` is a step too
        why = f"nothing to do took {again:.1f} s of it, {_jobs_text(folder, figure)}; {empty}"
        yield Row(what, "a limit of 5 s", seconds, 5, "s", "≤", 1, why)


class _Command:
    """Runs commands in a folder; `shown` is what the last one printed."""

    def __init__(self, folder: Path):
        self.folder, self.shown = folder, ""

    def seconds(self, *command: str, where: Path | None = None) -> float:
        """Return the seconds of one command; one that fails ends it all."""
        start = time.perf_counter()
        run = subprocess.run(command, cwd=where or self.folder, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        self.shown = run.stdout + run.stderr
        if run.returncode:
            sys.exit(self.shown[-3000:])
        return seconds


def _memory_row(folder: Path) -> Row:
    costs = pd.read_parquet(folder / "results/default/tables" / "costs.parquet")
    peak = costs.loc[costs.max_rss_mb.idxmax()]
    gigabytes = float(peak.max_rss_mb) * 2**20 / 1e9  # what Snakemake calls MB is 2**20 bytes
    return Row(f"peak memory of a job ({peak.rule})", "a limit of 2 GB", gigabytes, 2, "GB", "≤", 1)


def _nothing_of_nothing(folder: Path) -> float:
    """Return the seconds of Snakemake's start where a Snakefile of one rule has nothing to do."""
    command = _Command(folder.with_name("empty"))
    command.folder.mkdir()
    (command.folder / "Snakefile").write_text('rule all:\n    output: touch("done")\n')
    started = [command.seconds(str(folder / ".venv/bin/snakemake"), "--cores", "all") for _ in range(4)]
    return min(started[1:])  # the first has something to do


def _jobs_text(folder: Path, figure: str) -> str:
    """Return the processor seconds of the two jobs after a change of style, which follow one another, by logs."""
    texts = []
    for job in (f"plot_figure/{figure}", "render_report"):
        log = (folder / f"results/default/logs/{job}.log").read_text()
        worked, took = (re.search(rf"^{word} ([\d.]+) s", log, re.MULTILINE) for word in ("worked", "took"))
        start = f", {float(took[1]) - float(worked[1]):.1f} s of it its start" if took else ""
        texts.append(f"{job} {(took or worked)[1]} s{start}")
    return " and ".join(texts)


def _restyle(folder: Path) -> str:
    """Make a figure a millimetre wider, and return its name."""
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    name = next(name for name, figure in config["figures"].items() if "width_mm" in figure["style"])
    config["figures"][name]["style"]["width_mm"] += 1
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return name

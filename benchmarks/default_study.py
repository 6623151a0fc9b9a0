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


def rows() -> Iterator[Row]:
    """Yield the rows of the whole study, whose run is the first thing that is done."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "clone"
        seconds_of = _Commands(folder)
        cloning = seconds_of("git", "clone", "--quiet", str(ROOT), str(folder), where=ROOT)
        installing = seconds_of("make", "env")
        running = seconds_of("make", "run")
        whole = (cloning + installing + running) / 60
        yield Row("the default study from a fresh clone", "a limit of 10 minutes", whole, 10, "minutes", "≤", 1)
        costs = pd.read_parquet(folder / "results" / "tables" / "costs.parquet")
        n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        share = costs.cpu_seconds.sum() / n_cores
        yield Row(
            "the default study, installed", "its jobs' CPU seconds over cores", running, share, "s", "≤", 1.2, CPU
        )
        peak = costs.loc[costs.max_rss_mb.idxmax()]
        yield Row(f"peak memory of a job ({peak.rule})", "a limit of 2 GB", peak.max_rss_mb / 1024, 2, "GB", "≤", 1)
        yield Row("nothing to do", "a limit of 3 s", min(seconds_of("make", "run") for _ in range(3)), 3, "s", "≤", 1)
        figure = _restyle(folder)
        seconds = seconds_of("make", "run")
        jobs = seconds_of.jobs
        yield Row(f"a new style of the figure {figure}: {jobs} jobs", "a limit of 6 s", seconds, 6, "s", "≤", 1)


CPU = (
    "a job's seconds are those that Snakemake saw when it last looked, so that short jobs count for less than they take"
)


class _Commands:
    """Runs commands in a folder and returns their seconds."""

    def __init__(self, folder: Path):
        self.folder, self.jobs = folder, 0

    def __call__(self, *command: str, where: Path | None = None) -> float:
        start = time.perf_counter()
        run = subprocess.run(command, cwd=where or self.folder, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        said = run.stdout + run.stderr
        if run.returncode:
            sys.exit(said[-3000:])
        found = re.findall(r"^(\d+) of \1 steps", said, re.MULTILINE)
        self.jobs = int(found[-1]) if found else 0
        return seconds


def _restyle(folder: Path) -> str:
    """Make a figure a millimetre wider, and return its name."""
    path = folder / "config.yaml"
    config = yaml.safe_load(path.read_text())
    name = next(name for name, figure in config["figures"].items() if "width_mm" in figure["style"])
    config["figures"][name]["style"]["width_mm"] += 1
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return name

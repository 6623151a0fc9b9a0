"""Processor time that is not work, in studies/baselines.yaml: imports, Snakemake, starting jobs.

    python benchmarks/overhead.py DATA [DATASET]

runs the study's jobs of one replicate on one data set, up to the metrics, in a clone of the last commit: with jobs that
are forks, and with jobs by themselves. DATA: the study's data folder. Work is the processor time of a job's `run`, as
its log has it; all else that the kernel counts for Snakemake and what it starts is overhead.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parent.parent
RUN = """
import atexit, os, resource, sys
from snakemake.cli import main
def print_seconds():
    for name in ("SELF", "CHILDREN"):
        used = resource.getrusage(getattr(resource, f"RUSAGE_{name}"))
        print(name, used.ru_utime + used.ru_stime, file=sys.stderr, flush=True)
atexit.register(print_seconds)
main(sys.argv[1:])
"""
STUDY = "studies/baselines.yaml"
_NUMBER = {name: re.compile(rf"^{name} ([0-9.]+)", re.MULTILINE) for name in ("worked", "took", "SELF", "CHILDREN")}


def main():
    data, dataset = [*sys.argv[1:], "fashion-scenes"][:2]
    for cold, how in (("", "forks"), ("1", "by themselves")):
        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / "clone"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
            print(shown(folder, data, dataset, cold, how), flush=True)


def shown(folder: Path, data: str, dataset: str, cold: str, how: str) -> str:
    """Run the jobs and return a table of what they took."""
    options = ["--cores", "all", "--resources", "gpu=4", "--configfile", STUDY, "--config", "replicates=[1]"]
    command = [sys.executable, "-c", RUN, *targets(folder, dataset), *options, f"data_folder={data}"]
    environment = os.environ | {"SELFDOUBT_COLD": cold}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    if run.returncode:
        sys.exit((run.stdout + run.stderr)[-3000:])
    snakemake, started = (float(_NUMBER[name].search(run.stderr)[1]) for name in ("SELF", "CHILDREN"))
    logs = [(path, path.read_text()) for path in (folder / "results/baselines/logs").rglob("*.log")]
    rows = [
        {"rule": path.relative_to(folder / "results/baselines/logs").parts[0], "jobs": 1, **seconds(text)}
        for path, text in logs
    ]
    table = pd.DataFrame(rows).groupby("rule").sum()
    work, whole = table["worked"].sum(), snakemake + started
    lines = [f"{dataset}, jobs {how}: {whole:.0f} s of processor time, of which {work:.0f} s are work; overhead"]
    parts = f"Snakemake {snakemake:.1f} s, jobs and servers {started - work:.1f} s"
    lines.append(f"{100 * (1 - work / whole):.1f} %: {parts}.")
    return "\n".join([*lines, "", table.round(1).to_string(), ""])


def targets(folder: Path, dataset: str) -> list[str]:
    """Return the metric tables of the study's own arms in the first replicate."""
    arms = yaml.safe_load((folder / STUDY).read_text())["studies"]["baselines"]
    names = [[*arm.split("/"), "clean"][:2] for arm in (arms["reference"], *arms["arms"])]
    return [f"results/baselines/metrics/{dataset}/{name}/replicate-1/{variant}.parquet" for name, variant in names]


def seconds(log: str) -> dict[str, float]:
    found = {name: _NUMBER[name].search(log) for name in ("worked", "took")}
    return {name: float(match[1]) if match else 0.0 for name, match in found.items()}


if __name__ == "__main__":
    main()

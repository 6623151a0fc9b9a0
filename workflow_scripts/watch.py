"""Show all running jobs live, and the time left for the whole run: watch.py [--once] [--folder results/default/logs]"""

import argparse
import json
import time
from contextlib import suppress
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from selfdoubt.runtime import time_left
from selfdoubt.training import progress

SECONDS = 1.0
DEFAULT = Path("results/default/logs")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        help="the jobs' logs, beside which lie their benchmarks (default: results/default/logs)",
    )
    parser.add_argument("--once", action="store_true", help="print one table and end")
    arguments = parser.parse_args()
    folder, runs = arguments.folder or DEFAULT, sorted(map(str, Path("results").glob("*/logs")))
    if not folder.is_dir() and (arguments.folder or runs):  # before the first run of all there is none
        parser.error(f"--folder: {folder} is no folder; logs of runs: {', '.join(runs) or 'none in results/'}")
    console = Console()
    if arguments.once:
        console.print(shown(folder))
        return
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(shown(folder), refresh=True)
                time.sleep(SECONDS)
        except KeyboardInterrupt:
            pass


def shown(folder: Path) -> Group:
    """Return what is printed of the run whose logs are in a folder."""
    jobs = progress.jobs(folder)
    under_way = [job for job in jobs if job.state == "running"]
    running = {job.name: (_elapsed(folder, job), job.seconds_left if job.n_epochs else None) for job in under_way}
    of_run = time_left.estimate(folder.parent / "benchmarks", running)
    return Group(table(jobs), *([sentence(of_run)] if of_run else []))


def sentence(found: time_left.Estimate) -> str:
    """Return in words what remains of a run."""
    parts = [f"run: {found.n_done} of {found.n_jobs} jobs done"]
    if found.at_once:
        parts.append(f"{found.at_once:.1f} at once on average")
    if found.n_done < found.n_jobs:
        left = "" if found.seconds is None else _clock(found.seconds)
        parts.append(f"about {left} left" if left else "time left not known yet")
    if found.unknown:
        rules = ", ".join(f"{n} {rule}" for rule, n in found.unknown.items())
        parts.append(f"not counting rules of which no job is done: {rules}")
    return "; ".join(parts)


def _clock(seconds: float) -> str:
    """Return seconds as H:MM:SS."""
    return f"{seconds // 3600:.0f}:{seconds // 60 % 60:02.0f}:{seconds % 60 // 1:02.0f}"


def _elapsed(folder: Path, job: progress.Job) -> float:
    """Return the seconds since a job began, by the first line of its file; 0 if it cannot be read."""
    with suppress(OSError, ValueError, KeyError), (folder / f"{job.name}.log{progress.SUFFIX}").open() as file:
        return time.time() - json.loads(file.readline())["time"]
    return 0.0


def table(jobs: list[progress.Job]) -> Table:
    """Return the running jobs as a table, and below them how many are done."""
    n_done = sum(job.state == "done" for job in jobs)
    n_lost = sum(job.state == "lost" for job in jobs)
    shown = Table(caption=f"{n_done} done" + (f", {n_lost} ended before their time" if n_lost else ""), box=None)
    for column, justify in (("job", "left"), ("", "left"), ("epoch", "right"), ("loss", "right"), ("val", "right")):
        shown.add_column(column, justify=justify)
    shown.add_column("images/s", justify="right")
    shown.add_column("left", justify="right")
    for job in (job for job in jobs if job.state == "running"):
        bar = ProgressBar(total=job.epochs, completed=job.n_epochs, width=20)
        numbers = [f"{job.last[name]:{form}}" if name in job.last else "" for name, form in _NUMBERS.items()]
        left = f"{job.seconds_left // 60:.0f}:{job.seconds_left % 60:02.0f}" if job.n_epochs else ""
        shown.add_row(job.name, bar, f"{job.n_epochs}/{job.epochs}", *numbers, left)
    return shown


_NUMBERS = {"loss": ".3f", "accuracy": ".1%", "images_per_second": ",.0f"}


if __name__ == "__main__":
    main()

"""Show all running jobs live, with a bar and the time left: watch.py [--once] [--folder results/default/logs]"""

import argparse
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from selfdoubt.training import progress

SECONDS = 1.0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("results/default/logs"), help="where the jobs' logs are")
    parser.add_argument("--once", action="store_true", help="print one table and end")
    arguments = parser.parse_args()
    console = Console()
    if arguments.once:
        console.print(table(progress.jobs(arguments.folder)))
        return
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(table(progress.jobs(arguments.folder)), refresh=True)
                time.sleep(SECONDS)
        except KeyboardInterrupt:
            pass


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

"""The time left for a run, from what its jobs that are done took; nothing that a job does depends on it.

An engine writes down, before its first job, which jobs it will run; a job is done when its benchmark file is newer. A
training that was resumed counts from there, and what jobs wait for is not in: this is an estimate for who watches.
"""

import csv
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PLAN = "planned.txt"  # in the folder of the benchmarks


def write_plan(folder: Path, jobs: list[str]) -> None:
    """Write the names of the jobs that an engine will run, RULE/KEY/…/KEY, as their benchmark files are called.

    folder: of these files. One that cannot be written to is left as it is: no job needs the plan.
    """
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PLAN).write_text("".join(f"{job}\n" for job in sorted(jobs)))


@dataclass
class Estimate:
    """What remains of a run."""

    n_done: int  # of the planned jobs
    n_jobs: int  # planned
    at_once: float  # jobs, on average since the run began; 0 as long as none is done or under way
    seconds: float | None  # left; None if no cost of a remaining job is known
    unknown: dict[str, int]  # remaining jobs by rule, of rules of which none is done: not in `seconds`


def estimate(folder: Path, running: dict[str, tuple[float, float | None]], now: float | None = None) -> Estimate | None:
    """Return what remains of the run with these benchmark files; None if it has no plan.

    folder: of these files. running: of jobs that run, by name, the seconds since they began, and those left, None where
    these are not known. now: seconds since the epoch; left out, the clock's.
    """
    plan, now = folder / PLAN, time.time() if now is None else now
    try:
        jobs, began = plan.read_text().split("\n")[:-1], plan.stat().st_mtime
    except OSError:
        return None
    ends, costs = {}, _Costs()
    for path in folder.rglob("*.tsv"):
        name = str(path.relative_to(folder)).removesuffix(".tsv")
        with suppress(OSError):  # removed meanwhile
            ended, seconds = path.stat().st_mtime, _seconds(path)
            costs.add(name, seconds)
            ends[name] = (ended, sum(seconds))
    done = {job: ends[job] for job in jobs if ends.get(job, (0,))[0] >= began}
    under_way = {job: running[job] for job in jobs if job in running and job not in done}
    left, unknown = [], Counter()
    for job in (job for job in jobs if job not in done):
        elapsed, expected = under_way.get(job, (0.0, None))
        if expected is None and (cost := costs.of(job)) is not None:
            expected = max(0.0, cost - elapsed)
        if expected is None:
            unknown[job.split("/")[0]] += 1
        else:
            left.append(expected)
    busy = sum(seconds for _, seconds in done.values()) + sum(elapsed for elapsed, _ in under_way.values())
    until = now if under_way else max((end for end, _ in done.values()), default=began)
    at_once = busy / (until - began) if until > began else 0.0
    seconds = max(sum(left) / at_once, max(left)) if left and at_once else None if left or unknown else 0.0
    return Estimate(len(done), len(jobs), at_once, seconds, dict(sorted(unknown.items())))


class _Costs:
    """Seconds of jobs that are done, by what they have in common."""

    def __init__(self):
        self._found = defaultdict(list)

    def add(self, job: str, seconds: list[float]) -> None:
        for kind in _kinds(job):
            self._found[kind] += seconds

    def of(self, job: str) -> float | None:
        """Return the mean of the jobs that are most like one; None if its rule has none."""
        alike = next((self._found[kind] for kind in _kinds(job) if self._found.get(kind)), None)
        return sum(alike) / len(alike) if alike else None


def _kinds(job: str) -> list[tuple]:
    """Return what jobs may have in common with one: all but the replicate; rule and first key, a data set; the rule."""
    rule, *keys = job.split("/")
    return [(rule, *("" if key.startswith("replicate-") else key for key in keys), 3), (rule, *keys[:1], 2), (rule, 1)]


def _seconds(path: Path) -> list[float]:
    """Return the wall seconds in a benchmark file; none where it was truncated by a kill."""
    with path.open() as file:
        found = [line.get("s") for line in csv.DictReader(file, delimiter="\t")]
    numbers = []
    for text in found:
        with suppress(TypeError, ValueError):
            numbers.append(float(text))
    return numbers

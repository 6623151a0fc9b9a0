"""What jobs took and on what, from the benchmark files that Snakemake writes, and the jobs' logs."""

import csv
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

_TOOK = re.compile(r"took ([0-9.]+) s of processor time, ([0-9.]+) MiB at most")  # the last line, by warm_client.py
_LONGEST_LINE = 100
_DEVICE = re.compile(r"^device=(.+) precision=(\S+) threads=(\d+)$", re.MULTILINE)  # by devices.describe
_FIRST_LINES = 4000  # bytes of a log


def read_benchmarks(folder: Path, jobs: list[str], logs: Path) -> list[dict]:
    """Return a row of COSTS for each line of the files of `jobs` under `folder`, sorted.

    jobs: RULE/KEY/…/KEY, whose file is of that name with the suffix .tsv. Other files are left over from another
    study; a job without one has not run, or not here. logs: the folder of their logs, of suffix .log: of a job that is
    no child of the process that Snakemake looks at, the last line has what it took, up to its end.
    """
    rows = []
    for job in sorted(map(Path, jobs)):
        rule, *keys = job.parts
        path = folder / f"{job}.tsv"
        took = _took(logs / f"{job}.log")
        rows += [{"rule": rule, "job": "/".join(keys), **_numbers(line), **took} for line in _lines(path)]
    return rows


def devices(jobs: list[str], logs: Path) -> dict[str, int]:
    """Return the number of trainings by "DEVICE, PRECISION, N threads", from their logs."""
    found = Counter()
    for log in (logs / f"{job}.log" for job in jobs):
        for device, precision, threads in _DEVICE.findall(_start_of(log)):
            found[f"{device}, {precision}, {threads} thread{'s' * (threads != '1')}"] += 1
    return dict(sorted(found.items()))


def span(folder: Path, jobs: list[str]) -> dict[str, str]:
    """Return when the first job began and the last ended, in UTC to the second; nothing where none is known.

    A benchmark file is written when its job ends.
    """
    ends = []
    for path in (folder / f"{job}.tsv" for job in jobs):
        ends += [(path.stat().st_mtime, _numbers(line)["seconds"] or 0) for line in _lines(path)]
    if not ends:
        return {}
    times = {"began": min(end - seconds for end, seconds in ends), "ended": max(end for end, _ in ends)}
    return {key: datetime.fromtimestamp(round(time), UTC).isoformat() for key, time in times.items()}


def _start_of(log: Path) -> str:
    try:
        with log.open("rb") as file:
            return file.read(_FIRST_LINES).decode(errors="replace")
    except OSError:
        return ""


def _took(log: Path) -> dict[str, float]:
    try:
        end = log.read_bytes()[-_LONGEST_LINE:].decode(errors="replace")
    except OSError:
        return {}
    found = _TOOK.fullmatch((end.splitlines() or [""])[-1])
    return {"cpu_seconds": float(found[1]), "max_rss_mb": float(found[2])} if found else {}


def _lines(path: Path) -> list[dict]:
    if not path.is_file():
        return []
    with path.open() as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _numbers(line: dict) -> dict:
    """Snakemake samples a job: one that ends before the first sample has seconds and nothing else.

    It looks each half second, after thirty times each half minute; what a job took after the last look is not in.
    """
    found = {"seconds": line["s"], "cpu_seconds": line["cpu_time"], "max_rss_mb": line["max_rss"]}
    return {name: float(text) if _is_number(text) else None for name, text in found.items()}


def _is_number(text: str) -> bool:
    try:
        return float(text) >= 0
    except (TypeError, ValueError):  # TypeError: a line cut off by a kill
        return False

"""What jobs took, from the benchmark files that Snakemake writes."""

import csv
from pathlib import Path


def read_benchmarks(folder: Path, jobs: list[str]) -> list[dict]:
    """Return a row of COSTS for each line of the files of `jobs` under `folder`, sorted.

    jobs: RULE/KEY/…/KEY, whose file is of that name with the suffix .tsv. Other files are left over from another
    study; a job without one has not run, or not here.
    """
    rows = []
    for job in sorted(map(Path, jobs)):
        rule, *keys = job.parts
        path = folder / f"{job}.tsv"
        rows += [{"rule": rule, "job": "/".join(keys), **_numbers(line)} for line in _lines(path)]
    return rows


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

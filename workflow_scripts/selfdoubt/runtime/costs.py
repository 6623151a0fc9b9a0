"""What jobs took, from the benchmark files that Snakemake writes."""

import csv
from pathlib import Path


def read_benchmarks(folder: Path, names: list[str], replicates: list[int]) -> list[dict]:
    """Return a row of COSTS for each file under `folder`, sorted.

    A file lies at RULE/KEY/…/KEY.tsv. Those with a key that is neither one of `names` nor a replicate of the
    study are left over from another study, and are passed over.
    """
    known = {*names, *(f"replicate-{replicate}" for replicate in replicates)}
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        rule, *keys = path.relative_to(folder).with_suffix("").parts
        if all(key in known for key in keys):
            rows += [{"rule": rule, "job": "/".join(keys), **_numbers(line)} for line in _lines(path)]
    return rows


def _lines(path: Path) -> list[dict]:
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

"""What lies among the results and is no longer made: of models, replicates, data sets, figures that left the config."""

import re
from dataclasses import dataclass
from pathlib import Path

from selfdoubt.runtime import run_lock

_WRITTEN = re.compile(r"^    (?:output|log|benchmark): (.+)$", re.MULTILINE)
KINDS = {
    "results": "results that no job makes",
    "records": "logs and benchmarks of jobs that are no more",
    "states": "states of trainings that are no more",
    "half-written": "half-written files: of jobs that run now, or were killed; the next run removes those",
}


@dataclass(frozen=True)
class Leftover:
    """A file that no job of the studies writes."""

    path: Path
    kind: str  # a key of KINDS
    size_bytes: int


def planned_files(dry_run: str) -> set[str]:
    """Return the outputs, logs and benchmarks in what `snakemake --dry-run --forceall` printed."""
    return {path for paths in _WRITTEN.findall(dry_run) for path in paths.split(", ")}


def find(folder: Path, planned: set[str]) -> list[Leftover]:
    """Return the files below a folder of results that are not planned, by kind and path; README.md belongs there.

    planned: paths as the rules write them, which begin as `folder` does. A training's state is wanted while its
    checkpoint is, a job's progress while its log is.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / "README.md"]
    found = [
        Leftover(path, _kind(path, folder), path.stat().st_size) for path in files if not _wanted(path, folder, planned)
    ]
    return sorted(found, key=lambda leftover: list(KINDS).index(leftover.kind))


def _kind(path: Path, folder: Path) -> str:
    if run_lock.TEMPORARY.fullmatch(path.name):
        return "half-written"
    top = path.relative_to(folder).parts[0]
    return {"logs": "records", "benchmarks": "records", "state": "states"}.get(top, "results")


def _wanted(path: Path, folder: Path, planned: set[str]) -> bool:
    if _kind(path, folder) == "states":
        keys = path.parent.relative_to(folder / "state")
        return f"{folder}/checkpoints/{keys}.safetensors" in planned
    return str(path).removesuffix(".progress.jsonl") in planned


def table(found: list[Leftover]) -> str:
    """Return a line a file, below a line a kind, and the total."""
    lines = []
    for kind, meaning in KINDS.items():
        if same := [leftover for leftover in found if leftover.kind == kind]:
            lines += [
                f"{meaning}: {_extent(same)}",
                *(f"  {_size(each.size_bytes):>9}  {each.path}" for each in same),
                "",
            ]
    return "\n".join([*lines, f"in all {_extent(found)}; nothing was deleted" if found else "nothing is stale"])


def _extent(found: list[Leftover]) -> str:
    return f"{len(found)} file{'s' * (len(found) != 1)}, {_size(sum(leftover.size_bytes for leftover in found))}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:,.1f} kB"

"""Timing two sides in turn, and the rows that come of it."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 9
VECTORS = ("avx512f", "avx512_bf16", "amx_tile", "amx_bf16")  # instructions on which figures depend much


@dataclass
class Row:
    """One comparison. `ratio` is ours over theirs; `target` bounds it from below ("≥") or from above ("≤")."""

    what: str
    against: str
    ours: float
    theirs: float
    unit: str
    bound: str  # ≥ or ≤
    target: float
    reason: str = ""  # why the target may be missed

    @property
    def ratio(self) -> float:
        return float(self.ours / self.theirs)

    @property
    def reached(self) -> bool:
        return self.ratio >= self.target if self.bound == "≥" else self.ratio <= self.target

    def as_dict(self) -> dict:
        row = {name: value for name, value in asdict(self).items() if name not in ("bound", "target", "reason")}
        target = f"{self.bound} {self.target:g}"
        return row | {"ratio": self.ratio, "target": target, "reached": self.reached} | origin()


def in_turn(ours: Callable[[], object], theirs: Callable[[], object], repeats: int = REPEATS) -> tuple[float, float]:
    """Return the median seconds of both sides, each run once to warm up and then in turn."""
    seconds = {ours: [], theirs: []}
    for repeat in range(repeats + 1):
        for side in (ours, theirs):
            taken = seconds_of(side)
            if repeat:
                seconds[side].append(taken)
    return statistics.median(seconds[ours]), statistics.median(seconds[theirs])


def seconds_of(function: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


@cache
def origin() -> dict[str, str]:
    """Return on what, on which day and of which commit this process measures."""
    commit = _git("rev-parse", "--short", "HEAD") or "no commit"
    changed = " with changes" if _git("status", "--porcelain", "--untracked-files=no") else ""
    today = datetime.now(UTC).date().isoformat()
    return {"machine": machine(), "vectors": vectors(), "date": today, "commit": commit + changed}


def _git(*command: str) -> str:
    """Return what git prints of this checkout, or nothing where there is none."""
    try:
        run = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return run.stdout.strip()


def machine() -> str:
    """Return what computes: processor, cores, torch and GPU, but no name of a host."""
    import torch

    model = _of_processor("model name") or platform.processor()
    parts = [model, f"{os.cpu_count()} threads", f"torch {torch.__version__}"]
    return ", ".join(parts + ([torch.cuda.get_device_name(0)] if torch.cuda.is_available() else []))


def vectors() -> str:
    """Return which of VECTORS the processor has, by the flags that the kernel shows."""
    flags = _of_processor("flags").split()
    return ", ".join(flag for flag in VECTORS if flag in flags) or f"none of {', '.join(VECTORS)}"


def _of_processor(key: str) -> str:
    """Return a line of the kernel's about the first processor, or nothing where the kernel has none."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith(key)), "")

"""Timing two sides in turn, and the rows that come of it."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

REPEATS = 9


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
        return row | {"ratio": self.ratio, "target": target, "reached": self.reached, "machine": machine()}


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


def machine() -> str:
    """Return what computes: processor, cores, memory and GPU, but no name of a host."""
    import torch

    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    parts = [model, f"{os.cpu_count()} threads", f"torch {torch.__version__}"]
    return ", ".join(parts + ([torch.cuda.get_device_name(0)] if torch.cuda.is_available() else []))

"""Check what a GPU computes against the CPU, and how processes share it: check_gpu.py [--device cpu] [--only NAME …]

One epoch of every way of training on a few made-up images, predictions, enhancers and messages, on the device and on
the CPU; compiled passes; a training that is killed and resumes; two processes on one device, and eight trainings that
share it; leases; too large a batch; the speed of the training loop. It needs no Snakemake, no data and no network.
Without a card it compares the CPU with itself, at a tiny size, and does not run what needs one. Exits with 1
if a check failed.
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

import gpu_paths  # noqa: E402
import gpu_processes  # noqa: E402
import gpu_speed  # noqa: E402
import measure  # noqa: E402
import torch  # noqa: E402

from selfdoubt.runtime import devices  # noqa: E402

PASSED, FAILED, MEASURED, NOT_RUN = "passed", "failed", "measured", "not run: no card"
MISSING = "not run: no peer"
NEED_A_CARD = ("waits", "compile", "ranks-nccl", "eight-at-once", "lease", "out-of-memory", "airbench")
SPEED_REACH = 0.93  # of a bare loop
AT_ONCE_REACH = 4.0  # of eight trainings in turn
AT_LEAST = ("speed", "eight-at-once")  # whose limit is from below
OUTPUT = ROOT / "results" / "check-gpu.json"


@dataclass
class Row:
    """What a check found."""

    name: str
    state: str
    found: float | None = None  # a difference, or for speed the ratio of both sides
    limit: float | None = None  # of a difference from above, of AT_LEAST from below
    detail: str = ""
    seconds: float = 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="of the checks, as the table names them")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="written: the table as JSON")
    arguments = parser.parse_args()
    began, device = time.perf_counter(), devices.prepare(arguments.device, threads=1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in checked(device, Path(folder), arguments.only):
            print(line_of(row), flush=True)
            rows.append(row)
    if unknown := set(arguments.only) - {row.name for row in rows}:
        sys.exit(f"check_gpu: no such check: {', '.join(sorted(unknown))}")
    seconds = time.perf_counter() - began
    states = ", ".join(
        f"{sum(row.state == state for row in rows)} {state}" for state in (PASSED, FAILED, MEASURED, NOT_RUN, MISSING)
    )
    print(f"{measure.machine()}; compared on {device.type}; {seconds:.0f} s: {states}")
    write(arguments.output, rows, device, seconds)
    sys.exit(any(row.state == FAILED for row in rows))


def checked(device: torch.device, folder: Path, only: list[str] = ()) -> Iterator[Row]:
    """Yield a row of each check, or of those in `only`; folder: for their files."""
    size = gpu_paths.WHOLE if device.type == "cuda" else gpu_paths.TINY
    for name, limit, check in checks(size, device, folder):
        if only and name not in only:
            continue
        if name in NEED_A_CARD and device.type != "cuda":
            yield Row(name, NOT_RUN)
        else:
            yield row_of(name, limit, check)


def checks(
    size: gpu_paths.Size, device: torch.device, folder: Path
) -> Iterator[tuple[str, float | None, Callable[[], gpu_processes.Found]]]:
    """Yield the name of each check, its limit, and what runs it."""
    paths = gpu_paths.Paths(size, folder)
    for name, path, limit in paths.all():
        yield name, limit, partial(compare, path, device)
    yield "waits", None, partial(no_waits, paths, device)
    yield "compile", gpu_paths.FLOAT32, partial(compiled, paths, device)
    yield "resume", None, partial(gpu_processes.resume, size, folder, device)
    for backend, n in (("gloo", 2), ("nccl", 1)):
        check = partial(gpu_processes.together, size, folder, device, backend, n)
        yield f"ranks-{backend}", gpu_paths.FLOAT32, check
    yield "eight-at-once", AT_ONCE_REACH, partial(gpu_processes.at_once, size, folder, device)
    yield "lease", None, partial(gpu_processes.lease, folder)
    yield "out-of-memory", None, partial(gpu_processes.out_of_memory, size, folder, device)
    yield "speed", SPEED_REACH if device.type == "cuda" else None, partial(gpu_speed.loop, paths, device)
    yield "airbench", None, partial(gpu_speed.airbench, size, device)
    yield "attacks", None, partial(gpu_speed.attacks, paths, device)
    yield "metrics", None, partial(gpu_speed.metrics, size)


def compare(path: Callable, device: torch.device) -> gpu_processes.Found:
    """Compare what a path returns on the device with what it does on the CPU."""
    return gpu_processes.Found(f"{device.type} and cpu", path(device).difference(path(gpu_paths.CPU)))


def no_waits(paths: gpu_paths.Paths, device: torch.device) -> gpu_processes.Found:
    """Train in ways that draw or read something for each step, none of which may wait for the device."""
    paths.unwaited(device)
    return gpu_processes.Found("no step waited for the device")


def compiled(paths: gpu_paths.Paths, device: torch.device) -> gpu_processes.Found:
    """Compare what a training with compiled passes learns with one without, on the device."""
    difference = paths.weights(device, **{"compile": True}).difference(paths.weights(device))
    return gpu_processes.Found(f"compiled and not, on {device.type}", difference)


def row_of(name: str, limit: float | None, check: Callable[[], gpu_processes.Found]) -> Row:
    """Run a check; whatever it raises is a failure of it alone."""
    start = time.perf_counter()
    try:
        found = check()
    except gpu_speed.Missing as missing:
        return Row(name, MISSING, detail=str(missing), seconds=time.perf_counter() - start)
    except gpu_processes.Failure as failure:
        return Row(name, FAILED, detail=str(failure), seconds=time.perf_counter() - start)
    except Exception as fault:
        traceback.print_exc()
        text = f"{type(fault).__name__}: {fault}".splitlines()[0]
        return Row(name, FAILED, detail=text, seconds=time.perf_counter() - start)
    seconds = time.perf_counter() - start
    return Row(name, state_of(name, found.difference, limit), found.difference, limit, found.detail, seconds)


def state_of(name: str, found: float | None, limit: float | None) -> str:
    """Return the state of a check that ran; NaN passes no limit."""
    if limit is None:
        return PASSED if found is None else MEASURED
    return PASSED if (found >= limit if name in AT_LEAST else found <= limit) else FAILED


def line_of(row: Row) -> str:
    """Return a row of the table."""
    sign = "≥" if row.name in AT_LEAST else "≤"
    found = "" if row.found is None else f"{row.found:.2g}" + ("" if row.limit is None else f" {sign} {row.limit:g}")
    return f"{row.name:20} {row.state:17} {found:18} {row.seconds:6.1f} s  {row.detail}"


def write(path: Path, rows: list[Row], device: torch.device, seconds: float) -> None:
    """Write the rows, with machine and date, as JSON."""
    found = measure.origin() | {"device": devices.describe(device, "float32", 1), "cuda": torch.version.cuda}
    found |= {"seconds": seconds, "rows": [asdict(row) for row in rows]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

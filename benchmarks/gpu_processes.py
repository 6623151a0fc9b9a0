"""What processes do on a device: one that is killed, two that train together, eight that share it, leases, and too
large a batch.

Each check returns what it found, as text, and raises Failure where that is not what it should be. Run as a script, this
is one of the processes that train together, or one of those that share the device.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import gpu_paths
import numpy as np
import torch
from measure import in_turn
from torch import distributed, nn

from selfdoubt.data import datasets
from selfdoubt.runtime import devices, gpu_leases
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import distributed as ranks_of_library

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow_scripts"
_SECONDS = 300  # that a process may take
_EPOCHS_SHARED = 4  # of each training that shares a device
_SIZES = {"tiny": gpu_paths.TINY, "whole": gpu_paths.WHOLE}
_ROOM = 4 << 30  # bytes of a device that a batch is too large for


class Failure(Exception):
    """Something is not as it should be."""


class Found(NamedTuple):
    """What a check found."""

    detail: str
    difference: float | None = None


# ---- one that is killed ----


def resume(size: gpu_paths.Size, folder: Path, device: torch.device) -> Found:
    """Kill a training by signal 9 after its second epoch, run it again, and compare it with an undisturbed one."""
    splits = {name: gpu_paths.made_up(n, size.size_px) for name, n in (("train", size.n_images), ("val", 20))}
    for name, split in splits.items():
        datasets.write_splits(folder / name, {name: split}, {})
    _train(folder, "whole", size, device)
    with _started(folder, "killed", size, device) as process:
        printed = next((line for line in process.stdout if "epoch=1 " in line), None)
        process.kill()
        process.communicate()
    if printed is None or (folder / "killed.safetensors").exists():
        raise Failure("the training ended before it was killed")
    again = _train(folder, "killed", size, device)
    if "resuming at epoch" not in again:
        raise Failure("the training did not resume")
    for suffix in ("safetensors", "parquet"):
        one, other = ((folder / f"{name}.{suffix}").read_bytes() for name in ("whole", "killed"))
        if one != other:
            raise Failure(f"the resumed training's .{suffix} has other bytes than the undisturbed one's")
    return Found(next(line for line in again.splitlines() if "resuming" in line))


def _train(folder: Path, name: str, size: gpu_paths.Size, device: torch.device) -> str:
    with _started(folder, name, size, device) as process:
        out, errors = _end_of(process)
    if process.returncode:
        raise Failure(f"exit code {process.returncode}: {(errors.strip().splitlines() or ['no message'])[-1]}")
    return out


def _started(folder: Path, name: str, size: gpu_paths.Size, device: torch.device) -> subprocess.Popen:
    recipe = gpu_paths.recipe_of(size, epochs=8, device=device.type)
    recipe = vars(recipe) | {"optimizer": vars(recipe.optimizer), "schedule": vars(recipe.schedule)}
    settings = {"network": {"family": "convnet", "widths": size.widths}, "recipe": recipe, "label_smoothing": 0.0}
    settings |= {"confidence_penalty": 0.0, "virtual_teacher": None}
    paths = {"train": "train", "val": "val", "checkpoint": f"{name}.safetensors", "history": f"{name}.parquet"}
    paths |= {"state": f"state-{name}"}
    files = [word for option, path in paths.items() for word in (f"--{option}", str(folder / path))]
    words = [*files, "--settings", json.dumps(settings), "--code", "check", "--replicate", "1"]
    return _process([sys.executable, "-u", str(SCRIPTS / "train_on_labels.py"), *words])


# ---- processes that train together ----


def together(size: gpu_paths.Size, folder: Path, device: torch.device, backend: str, n: int) -> Found:
    """Train by n processes on one device, and compare the weights with those of one process alone."""
    words = [str(folder), device.type, backend, str(n), _name_of(size)]
    started = [_process([sys.executable, __file__, "rank", str(rank), *words]) for rank in range(n)]
    try:
        ends = [_end_of(process) for process in started]
    finally:
        for process in started:
            process.kill()
    for process, (_, errors) in zip(started, ends, strict=True):
        if process.returncode:
            raise Failure((errors.strip().splitlines() or [f"exit code {process.returncode}"])[-1])
    alone = gpu_paths.Paths(size, folder).weights(device)
    difference = gpu_paths.Made(np.load(folder / f"{backend}.npy", allow_pickle=False)).difference(alone)
    return Found(f"{n} process{'es' * (n > 1)} by {backend}", difference)


class _Grouped(ranks_of_library.Ranks):
    """Ranks whose group was joined before: by any backend, on one device, and also where there is one of them."""

    def wrap(self, model: nn.Module) -> nn.Module:
        ranks_of_library._synchronise_statistics(model, next(model.parameters()).device)
        return nn.parallel.DistributedDataParallel(model, forward_sync_buffers=False)

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        distributed.all_reduce(tensor)
        return tensor


def rank(number: str, folder: str, device: str, backend: str, n: str, size: str) -> None:
    """Train as one of n processes; the first writes the weights."""
    device = devices.prepare(device, 1)
    meeting = f"file://{Path(folder).absolute()}/{backend}-{n}"
    distributed.init_process_group(backend, meeting, rank=int(number), world_size=int(n))
    paths = gpu_paths.Paths(_SIZES[size], Path(folder))
    made = paths.weights(device, gpu_paths.Way(ranks=_Grouped(int(number), int(n))))
    if number == "0":
        np.save(Path(folder) / f"{backend}.npy", made.values)
    distributed.destroy_process_group()


# ---- processes that share a device ----


def at_once(size: gpu_paths.Size, folder: Path, device: torch.device, n: int = 8) -> Found:
    """Time a training by each of n processes, one after the other and all at once: how many times as fast that is.

    The processes are the same, and were started before, so that neither side counts their start.
    """
    words = [sys.executable, __file__, "share", str(folder), device.type, _name_of(size)]
    started = [_process(words) for _ in range(n)]

    def ask(processes: list[subprocess.Popen]) -> None:
        for process in processes:
            with suppress(BrokenPipeError):  # of one that has ended, whose message is raised below
                process.stdin.write("train\n")
                process.stdin.flush()
        for process in processes:
            if process.stdout.readline().strip() != "trained":
                raise Failure((_end_of(process)[1].strip().splitlines() or ["a process ended"])[-1])

    try:
        together, alone = in_turn(lambda: ask(started), lambda: [ask([process]) for process in started], repeats=1)
    finally:
        for process in started:
            process.kill()
            process.communicate()
    detail = f"{n} trainings in {together:.1f} s at once, {alone:.1f} s in turn, on {os.cpu_count()} threads"
    return Found(detail, alone / together)


def share(folder: str, device: str, size: str) -> None:
    """Train once for each line that is read, and print when it is done."""
    device, size = devices.prepare(device, 1), _SIZES[size]
    paths, precision = gpu_paths.Paths(size, Path(folder)), devices.precision_on(device, "auto")
    way = gpu_paths.Way(train=gpu_paths.made_up(size.n_timed, size.size_px))
    for _ in sys.stdin:
        paths.fit(paths.model(device), device, way, epochs=_EPOCHS_SHARED, precision=precision)
        gpu_paths.wait_for(device)
        print("trained", flush=True)


# ---- what needs a card ----


def lease(folder: Path) -> Found:
    """Lease all devices that nvidia-smi lists; check that a second lease waits, and that torch finds what it leases."""
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=60).stdout
    ids = [line.partition("UUID: ")[2].rstrip(")") for line in listed.splitlines() if line.startswith("GPU ")]
    left_out = ("CUDA_VISIBLE_DEVICES", "SELFDOUBT_DEVICES", *gpu_leases._SCHEDULERS)  # which would step in between
    own = {key: value for key, value in os.environ.items() if key not in left_out}
    own["SELFDOUBT_LEASES"] = str(folder / "leases")
    command = [sys.executable, str(SCRIPTS / "lease.py")]
    hold = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), flush=True); input()"
    count = "import torch; print(torch.cuda.device_count(), torch.ones(1).cuda().item())"
    first = _process([*command, str(len(ids)), sys.executable, "-c", hold], env=own)
    second = None
    try:
        taken = first.stdout.readline().strip()
        if taken != ",".join(ids):
            raise Failure(f"leased {taken!r}, while nvidia-smi lists {ids}")
        second = _process([*command, "1", sys.executable, "-c", count], env=own)
        try:
            second.wait(15)
            raise Failure("a second lease did not wait for the first")
        except subprocess.TimeoutExpired:
            first.communicate("\n", timeout=_SECONDS)
        out, errors = _end_of(second)
        if out.strip() != "1 1.0":
            raise Failure(f"with one leased device torch printed {out.strip()!r} {errors.strip()[-200:]}")
    finally:
        for process in filter(None, (first, second)):
            process.kill()
    return Found(f"{len(ids)} listed and leased; the second lease waited")


def out_of_memory(size: gpu_paths.Size, folder: Path, device: torch.device) -> Found:
    """Train with a batch that the device has no room for, and return the message."""
    n = 100_000
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(min(1.0, _ROOM / total))
    try:
        train = gpu_paths.made_up(n, size.size_px)
        gpu_paths.Paths(size, folder).weights(device, gpu_paths.Way(train=train), batch_size=n)
    except UserError as fault:
        if str(fault) != f"out of memory; lower recipes: batch_size {n}":
            raise Failure(str(fault)) from None
        return Found(str(fault))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    raise Failure(f"a batch of {n} images went into {_ROOM} bytes")


def _name_of(size: gpu_paths.Size) -> str:
    return next(name for name, each in _SIZES.items() if each == size)


def _process(words: list[str], env: dict | None = None) -> subprocess.Popen:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    path = os.pathsep.join([str(SCRIPTS), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.Popen(words, text=True, env=(env or os.environ) | {"PYTHONPATH": path}, **pipes)


def _end_of(process: subprocess.Popen) -> tuple[str, str]:
    try:
        return process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Failure(f"a process had not ended after {_SECONDS} s") from None


if __name__ == "__main__":
    {"rank": rank, "share": share}[sys.argv[1]](*sys.argv[2:])

"""Leases of GPUs: Snakemake only counts them, so jobs agree among themselves on who uses which.

Each device has a lock file. A queue lock makes jobs collect devices one after the other: the first in the queue keeps
those that it has while it waits for more, so that jobs of two devices do not starve. The kernel frees the locks when
the process ends, even if it is killed. Without devices a lease does nothing.

A device is identified by the driver's UUID, even if CUDA_VISIBLE_DEVICES gives its number, so that it has one lock.
Small trainings leave most of a device idle: SELFDOUBT_JOBS_PER_GPU lets so many jobs have one, each in a slot with a
lock of its own; those who share a machine's devices must all set the same.

SELFDOUBT_DEVICES (ids joined by commas, or empty) replaces the search for devices. SELFDOUBT_LEASES names the folder of
the locks, which all who use the devices must share. The first job makes folder and locks writable for every user,
whatever the umask; symbolic links in their place are refused.
"""

import errno
import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path

from selfdoubt.runtime.errors import UserError

_SCHEDULERS = ("SLURM_JOB_ID", "LSB_JOBID", "PBS_JOBID", "JOB_ID", "KUBERNETES_SERVICE_HOST")
_POLL_SECONDS = 0.05
_held: list[int] = []  # file descriptors; the locks live as long as they, and as what this process becomes by exec


def take(n: int) -> list[str]:
    """Wait until n devices have a free slot, lock one of each for this process, and return their ids.

    Sets CUDA_VISIBLE_DEVICES, so call it before CUDA starts. If a cluster's scheduler has assigned exactly n devices,
    they are used without a lock. Without devices nothing is set, and the list is empty.
    Raises UserError if there are fewer than n, or if SELFDOUBT_JOBS_PER_GPU is no number of jobs.
    """
    devices, slots = found(), jobs_per_gpu()
    if not devices:
        return []
    if n > len(devices):
        raise UserError(f"gpu: {n} requested, but there are {len(devices)} ({', '.join(devices)})")
    assigned = n == len(devices) and _scheduler() is not None
    ids = devices if assigned else _collect(_by_uuid(devices), n, slots)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(ids)
    if "SELFDOUBT_DEVICES" not in os.environ:  # whose ids CUDA may not know
        os.environ["SELFDOUBT_LEASED"] = ",".join(ids)
    return ids


def jobs_per_gpu() -> int:
    """Return how many jobs may have one device at a time; raises UserError if the environment has no such number."""
    given = os.environ.get("SELFDOUBT_JOBS_PER_GPU", "1")
    if not re.fullmatch(r"[1-9]\d{0,2}", given):
        raise UserError(f"SELFDOUBT_JOBS_PER_GPU: '{given}', but it is a number of jobs from 1 to 999; set it to one")
    return int(given)


def leased() -> str:
    """Return the ids of the GPUs that this process, or the one that started it, has leased; empty without any."""
    return os.environ.get("SELFDOUBT_LEASED", "")


def found() -> list[str]:
    """Return the ids of the devices that this process may use, by CUDA_VISIBLE_DEVICES or from the driver."""
    for name in ("SELFDOUBT_DEVICES", "CUDA_VISIBLE_DEVICES"):
        if name in os.environ:
            return [device.strip() for device in os.environ[name].split(",") if device.strip() not in ("", "-1")]
    return list(_listed().values())


def _listed() -> dict[str, str]:
    """Return the UUID of each device by its number, as the driver's own command lists them; empty without one."""
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(re.findall(r"^GPU (\d+): .*UUID: ([^)]+)\)", listed, re.MULTILINE))


def _by_uuid(devices: list[str]) -> list[str]:
    """Return the devices with UUIDs in place of numbers, counted as the driver does, where it has them."""
    if "SELFDOUBT_DEVICES" in os.environ or not any(device.isdigit() for device in devices):
        return devices
    uuids = _listed()
    return [uuids.get(device, device) for device in devices]


def _scheduler() -> str | None:
    return next((name for name in _SCHEDULERS if name in os.environ), None)


def _collect(devices: list[str], n: int, slots: int) -> list[str]:
    """Lock a slot of each of n devices; the first slots of all devices are taken before the second ones."""
    folder = _folder()
    queue = _open(folder / "queue.lock")
    fcntl.flock(queue, fcntl.LOCK_EX)
    taken: list[str] = []
    while len(taken) < n:
        for slot, device in product(range(slots), devices):
            if len(taken) < n and device not in taken and _lock(folder / _name(device, slot)):
                taken.append(device)
        if len(taken) < n:
            time.sleep(_POLL_SECONDS)
    os.close(queue)
    return sorted(taken, key=devices.index)


def _name(device: str, slot: int) -> str:
    return f"device-{device.replace('/', '-')}{f'-slot-{slot}' if slot else ''}.lock"


def _lock(path: Path) -> bool:
    file = _open(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    os.set_inheritable(file, True)
    _held.append(file)
    return True


def _open(path: Path) -> int:
    """Open a lock file, made first if it is not there.

    Not both in one call: in a sticky folder, Linux refuses O_CREAT for files of other users (fs.protected_regular).
    """
    flags = os.O_RDWR | os.O_NOFOLLOW
    with _for_everybody(path):
        while True:
            with suppress(FileNotFoundError):
                return os.open(path, flags)
            with suppress(FileExistsError):
                return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o666)


@contextmanager
def _for_everybody(path: Path) -> Iterator[None]:
    """Make files for all users in the block; raises UserError if `path` is a symbolic link or is not accessible."""
    umask = os.umask(0)
    try:
        yield
    except OSError as error:
        reason = "a link" if error.errno == errno.ELOOP else error.strerror
        raise UserError(f"{path}: {reason}; have it removed, or name another folder by SELFDOUBT_LEASES") from None
    finally:
        os.umask(umask)


def _folder() -> Path:
    """Return the folder of the locks: one a machine, or one a scheduler's job, since those number devices from 0."""
    job = _scheduler()
    name = "selfdoubt-devices" + (f"-{os.environ[job]}".replace("/", "-").replace(":", "-") if job else "")
    folder = Path(os.environ.get("SELFDOUBT_LEASES") or Path(tempfile.gettempdir()) / name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _for_everybody(folder), suppress(FileExistsError):
        folder.mkdir()
        folder.chmod(0o1777)  # no user can take away the locks of others
    if folder.is_symlink():
        raise UserError(f"{folder}: a link; have it removed, or name another folder by SELFDOUBT_LEASES")
    return folder

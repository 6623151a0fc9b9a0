"""One engine at a time for a run, and the cleaning of its folder before its first job.

The lock is the kernel's, so it ends with the process that holds it, however that ends: Snakemake's own lock files
outlive a kill and then have to be removed by hand. A run on another machine is seen where the file system locks across
machines, as NFS does; where it cannot lock at all, a line reports that and the run continues.
"""

import fcntl
import os
import re
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

from selfdoubt.runtime.errors import UserError, lacks_locks

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")  # as atomic_files.atomic_path names them
_LEAST_ROOM_MB = 10  # Snakemake's own notes need some
_GLANCE_SECONDS = 0.1  # is_running holds the lock for less
_held: list[int] = []  # file descriptors, closed by the end of this process; no child inherits them


def check_notes(folder: Path) -> None:
    """Raise UserError if Snakemake could not keep its notes in a folder: dry runs too end in a stack trace then."""
    if not os.access(folder if folder.exists() else folder.parent, os.W_OK | os.X_OK):
        reason = "cannot be written to, and Snakemake keeps its notes there"
        raise UserError(f"{folder.absolute()}: {reason}; get write permission, or work in a copy of the project")


def is_running(lock: Path) -> bool:
    """Return whether another process holds the lock of a folder."""
    try:
        file = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # no locks here; `hold` reports that
        return False
    finally:
        os.close(file)
    return False


def hold(lock: Path, was_running: bool) -> None:
    """Take the lock until this process ends.

    was_running: what `is_running` returned before the jobs to run were determined; if a run ended since then, some of
    them are done already. Raises UserError if another process holds the lock, or did then.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    _held.append(file)
    try:
        taken = any(_lock(file) or time.sleep(_GLANCE_SECONDS) for _ in range(3))
    except OSError as error:
        if not lacks_locks(error):
            raise
        print(f"{lock}: this file system has no locks ({error.strerror}); make sure that one run at a time works here")
        return
    if not taken:
        holder = os.read(file, 200).decode(errors="replace").strip() or "another process"
        raise UserError(f"{Path.cwd()}: run '{lock.stem}' is going on here ({holder}); wait for its end, or end it")
    if was_running:
        raise UserError(f"run '{lock.stem}' has just ended here, so the remaining jobs are no longer known; run again")
    os.ftruncate(file, 0)
    os.pwrite(file, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clean_workdir(results: Path, shared: Path) -> None:
    """Remove what killed jobs have left half-written, and date no file later than now. Needs the lock.

    Snakemake compares files by their dates, and refuses outputs that are older than their inputs. After a
    clock was set back, all that was made before would look newer than all that is made now. Dates in the future are
    put between the newest other file and now; their order, which is what counts, stays.
    shared: the folder of data that runs share, which is dated only.
    Raises UserError if a folder of results cannot be written to, or the disk is full.
    """
    if results.exists() and (room_mb := shutil.disk_usage(results).free / 1e6) < _LEAST_ROOM_MB:
        raise UserError(f"{results}: the disk is full ({room_mb:.1f} MB are free); make room and run again")
    for folder, _, names in os.walk(results):
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UserError(f"{folder}: cannot be written to; get write permission, or mount it for writing")
        for name in filter(_TEMPORARY.fullmatch, names):
            Path(folder, name).unlink()
    paths = [Path(place, name) for top in (results, shared) for place, _, names in os.walk(top) for name in names]
    dates = {}
    for path in paths:
        with suppress(FileNotFoundError):  # another run is making what is shared
            dates[path] = path.lstat().st_mtime_ns
    _date_back(dates, time.time_ns())


def _date_back(dates: dict[Path, int], now: int) -> None:
    """Put the dates after `now` before it; dates: of each file, ns."""
    late = sorted({date for date in dates.values() if date > now})
    if not late:
        return
    newest = max((date for date in dates.values() if date <= now), default=now - 10**9)
    moved = {date: newest + (now - newest) * (i + 1) // (len(late) + 1) for i, date in enumerate(late)}
    files = [path for path, date in dates.items() if date > now]
    for path in files:
        with suppress(FileNotFoundError):
            os.utime(path, ns=(moved[dates[path]],) * 2, follow_symlinks=False)
    print(f"{len(files)} files were dated after now, such as {files[0]}: was the clock set back? Their dates are reset")

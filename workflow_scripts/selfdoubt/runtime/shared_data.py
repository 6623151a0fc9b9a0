"""Data shared by runs: prepared once, kept under the digest of all that decides it, and linked to by each run.

Snakemake removes a job's outputs before it starts the job, so two runs that declared one file would take it from one
another while they read it. So a run's outputs are links of its own, and what they lead to is never changed: an entry is
made in a temporary folder and renamed into place, by one process at a time, and nothing here removes one that is whole.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.digests import canonical, digest
from selfdoubt.runtime.errors import UserError, lacks_locks

_CONTENTS = "contents.json"  # of an entry: each file's SHA-256


def provide(
    outputs: list[Path], store: Path, facts: dict, sources: Iterable[Path], make: Callable, copied: Iterable[Path] = ()
) -> None:
    """Link each output to its file in the store, and make those files first if they are not there or not whole.

    facts: JSON-able; with the sources, all that decides the bytes. sources: the files, and folders of files, that they
    are made from. make(paths): writes a file for each output, of its name. copied: the outputs that are copies instead:
    small ones that are read when the store may be gone.
    """
    names = [path.name for path in outputs]
    known = digest({**facts, "names": names, "sources": [_identity(path, store) for path in _tops(sources)]}, [])
    entry = store / known
    with alone(entry):
        if not _is_whole(entry):
            _build(entry, lambda folder: make([folder / name for name in names]))
    for path in outputs:
        if path in copied:
            with atomic_path(path) as temporary:
                shutil.copyfile(entry / path.name, temporary)
        else:
            link(path, entry / path.name)


def link(path: Path, target: Path) -> None:
    """Make `path` a relative link to `target`, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(os.path.relpath(target.resolve(), path.parent.resolve()))
    temporary.replace(path)


@contextmanager
def alone(entry: Path) -> Iterator[None]:
    """Keep other processes from making an entry of a store; ends with the process, as every lock of the kernel.

    Where a file system has no locks two may make it at once: either is whole, and one of them stays.
    """
    entry.parent.mkdir(parents=True, exist_ok=True)
    path = entry.with_name(f".{entry.name}.lock")
    with _locked(path):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def clean(store: Path) -> None:
    """Remove what killed jobs have left half-made, and nothing that is being made."""
    for folder in store.glob(".*.tmp/"):
        lock = folder.with_name(f".{folder.name.split('.')[1]}.lock")
        with suppress(BlockingIOError), _locked(lock, wait=False) as locked:
            if locked:
                shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)


def drop_broken_links(*folders: Path) -> None:
    """Remove links whose entry was removed by hand: Snakemake takes them for files, and stops at the first."""
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_symlink() and not path.exists()):
        with suppress(OSError):
            path.unlink()


@contextmanager
def _locked(path: Path, wait: bool = True) -> Iterator[bool]:
    """Hold a lock file; yields False where nothing locks. Raises BlockingIOError if it is taken, unless it waits."""
    while True:
        with path.open("a") as file:
            locked = _take(file, wait)
            if _is(file, path):  # else its last holder has removed it
                yield locked
                return


def _take(file, wait: bool) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not wait:
            raise
        print("another job is making the same; waiting for its end", flush=True)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError as error:
        if not lacks_locks(error):
            raise
        return False
    return True


def _is(file, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _build(entry: Path, make: Callable[[Path], None]) -> None:
    """Make a folder of files beside its place, and put it there."""
    folder = entry.with_name(f".{entry.name}.{os.getpid()}.tmp")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        make(folder)
        sums = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}
        with atomic_path(folder / _CONTENTS) as temporary:
            temporary.write_text(canonical(sums))
        if entry.exists():  # and is broken, or was made meanwhile where there are no locks; readers keep the old file
            entry.rename(entry.with_name(f".{entry.name}.{os.getpid()}.old.tmp"))
        folder.rename(entry)
    finally:
        for left in entry.parent.glob(f".{entry.name}.{os.getpid()}.*"):
            shutil.rmtree(left, ignore_errors=True)


def _is_whole(entry: Path) -> bool:
    """Return whether an entry's files are those that were made: all are read."""
    try:
        sums = json.loads((entry / _CONTENTS).read_text())
        return all(_sha256(entry / name) == known for name, known in sums.items())
    except (OSError, ValueError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---- what data is made from ----


def _tops(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that lie below none of the others, in order."""
    found = []
    for path in sorted({Path(path).resolve() for path in paths}):
        if not found or not path.is_relative_to(found[-1]):
            found.append(path)
    return found


def _identity(path: Path, store: Path) -> list:
    """Return what a file or a folder is known by: its place in the store, or its place, sizes and dates.

    Contents are not read: data sets are large.
    """
    if path.is_relative_to(store.resolve()):
        return [str(path.relative_to(store.resolve()))]
    if not path.exists():
        raise UserError(f"{path}: is missing")
    files = [path] if path.is_file() else [Path(top, name) for top, _, names in os.walk(path) for name in names]
    return [str(path), [_seen(file, path) for file in sorted(files)]]


def _seen(file: Path, top: Path) -> list:
    try:
        found = file.stat()
    except FileNotFoundError:  # a link that leads nowhere, which its reader reports
        found = file.lstat()
    return [str(file.relative_to(top)), found.st_size, found.st_mtime_ns]

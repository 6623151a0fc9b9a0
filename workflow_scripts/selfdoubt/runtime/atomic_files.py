"""Atomic writes: a file has its final name only once it is complete and on disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selfdoubt.runtime.errors import UserError, lacks_room


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; fsync it and rename it to `path` if the block succeeds.

    Raises UserError if the disk is full. A temporary file that a killed job leaves is removed by the next run.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if lacks_room(error):
            raise UserError(f"{path}: the disk is full; make room and run again") from None
        raise
    finally:
        temporary.unlink(missing_ok=True)

"""Files on the disk for what may not fit into memory."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from selfdoubt.runtime.errors import UserError


@contextmanager
def scratch(create: Callable) -> Iterator[BinaryIO]:
    """Yield a new file of `tempfile` that is deleted in the end; what is mapped of it stays as long as the mapping."""
    try:
        with create() as file:
            yield file
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        folder = tempfile.gettempdir()
        raise UserError(f"{folder}: the disk is full; make room or set TMPDIR to another folder") from None

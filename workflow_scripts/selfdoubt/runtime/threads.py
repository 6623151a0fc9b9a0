"""Work in threads: NumPy releases the interpreter's lock while it computes.

Results never depend on the number of threads: items are fixed beforehand, and results come in their order.
"""

import ctypes
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc


def n_threads() -> int:
    """Return OMP_NUM_THREADS, which Snakemake sets to a job's threads, or else the number of CPU cores."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdigit() and int(given):
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(function: Callable, items: Iterable) -> list:
    """Return [function(item) for item in items], computed in threads; raises what the first failing item raises."""
    keep_freed_memory()
    items = list(items)
    workers = min(n_threads(), len(items))
    if workers <= 1:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # not needed by jobs of one thread

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


class cached_property:
    """A functools.cached_property without a lock.

    Up to Python 3.11 that one holds a lock, the same for all instances, while it computes, so threads wait for one
    another. Here, two threads that read the attribute of one instance at once both compute, and one value is kept.
    """

    def __init__(self, function: Callable):
        self._function, self.__doc__ = function, function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance, owner: type | None = None):
        if instance is None:
            return self
        return instance.__dict__.setdefault(self._name, self._function(instance))


@cache
def keep_freed_memory(trim_above: int = 2**28, map_above: int = 2**25) -> None:
    """Make glibc keep freed memory for the next array, which otherwise costs a page fault every 4 kB.

    For arrays of a few megabytes, as in a bootstrap, that was a third of the time. trim_above: how many freed bytes are
    kept. map_above: arrays of more bytes are returned to the system as soon as they are freed.
    """
    with suppress(OSError, AttributeError):  # another C library
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_M_TRIM_THRESHOLD, trim_above)
        malloc.mallopt(_M_MMAP_THRESHOLD, map_above)

"""Work shared out to threads; NumPy frees the interpreter's lock while it computes.

What is computed never depends on how many threads there are: items are fixed beforehand, results come in order.
"""

import ctypes
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h of glibc


def n_threads() -> int:
    """Return OMP_NUM_THREADS, which Snakemake sets to a job's threads, or else the number of processors."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told):
        return int(told)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def ordered_map(function: Callable, items: Iterable) -> list:
    """Return [function(item) for item in items], some at a time; raises what the first failing item raises."""
    _keep_freed_memory()
    items = list(items)
    workers = min(n_threads(), len(items))
    if workers <= 1:
        return [function(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor  # not needed by jobs of one thread

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


@cache
def _keep_freed_memory() -> None:
    """Have glibc keep up to 256 MB of freed memory for the next array, which else costs a page fault every 4 kB.

    For arrays of a few megabytes, as in a bootstrap, that was a third of the time.
    """
    with suppress(OSError, AttributeError):  # another C library
        malloc = ctypes.CDLL(None)
        malloc.mallopt(_M_TRIM_THRESHOLD, 2**28)
        malloc.mallopt(_M_MMAP_THRESHOLD, 2**25)

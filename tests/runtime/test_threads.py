"""Work in threads: in order, and the same whatever their number."""

import os
import threading

import numpy as np
import pytest

from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.runtime.threads import cached_property, n_threads, ordered_map


@pytest.mark.parametrize("threads", ["1", "2", "7"])
def test_results_come_in_the_order_of_the_items(monkeypatch, threads):
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert n_threads() == int(threads)
    assert ordered_map(lambda i: i * i, range(20)) == [i * i for i in range(20)]
    assert ordered_map(lambda i: i, []) == []


def test_two_items_are_worked_on_at_once(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    met = threading.Barrier(2, timeout=10)  # of items one after the other, the first would wait in vain
    assert len(ordered_map(lambda _: met.wait(), range(2))) == 2


def test_what_is_kept_of_two_objects_is_computed_at_once(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    met = threading.Barrier(2, timeout=10)  # under a lock the first would wait in vain

    class Slow:
        @cached_property
        def value(self) -> int:
            """What others wait for."""
            return met.wait()

    slow = [Slow(), Slow()]
    found = ordered_map(lambda each: each.value, slow)
    assert sorted(found) == [0, 1]
    assert [each.value for each in slow] == found  # kept: anew, none would reach the barrier
    assert Slow.value.__doc__ == "What others wait for."


def test_the_exponentials_of_two_blocks_are_made_at_once(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    met = threading.Barrier(2, timeout=10)

    class Waiting(np.ndarray):
        """Logits that wait for those of the other thread as their exponentials are asked for."""

        def astype(self, *how):
            met.wait()
            return np.asarray(self).astype(*how)

    logits = np.arange(6.0).reshape(2, 3).view(Waiting)
    found = ordered_map(lambda block: Softmax(block).rest, [logits, logits + 1])
    assert np.array_equal(*found)


def test_the_first_fault_is_raised(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def fail(i):
        raise ValueError(f"item {i}")

    with pytest.raises(ValueError, match="item 0"):
        ordered_map(fail, range(5))


@pytest.mark.parametrize("text", ["", "0", "many"])
def test_without_a_number_all_processors_are_used(monkeypatch, text):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert n_threads() == usable

"""Work in threads: in order, and the same whatever their number."""

import threading

import pytest

from selfdoubt.threads import n_threads, ordered_map


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


def test_the_first_fault_is_raised(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")

    def fail(i):
        raise ValueError(f"item {i}")

    with pytest.raises(ValueError, match="item 0"):
        ordered_map(fail, range(5))


@pytest.mark.parametrize("told", ["", "0", "many"])
def test_without_a_number_all_processors_are_used(monkeypatch, told):
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert n_threads() >= 1

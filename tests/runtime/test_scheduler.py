"""Timers of Snakemake's scheduler: one at a time, whatever asks for it, and each leads to a look."""

import runpy
from threading import Semaphore
from types import SimpleNamespace

import pytest
from copies import ROOT
from snakemake.scheduling.job_scheduler import JobScheduler


@pytest.fixture
def ask(monkeypatch):
    """Return what asks a scheduler for a look after a delay, and the scheduler."""
    monkeypatch.setattr(JobScheduler, "_schedule_reevalutation", None)
    runpy.run_path(str(ROOT / "rules/functions/scheduler.smk"))
    scheduler = SimpleNamespace(_open_jobs=Semaphore(0))
    return lambda delay: JobScheduler._schedule_reevalutation(scheduler, delay), scheduler


def test_many_who_ask_get_one_look(ask):
    set_timer, scheduler = ask
    for _ in range(20):
        set_timer(0.05)
    assert scheduler._open_jobs.acquire(timeout=20)
    assert not scheduler._open_jobs.acquire(timeout=0.3)


def test_who_asks_after_a_look_gets_another(ask):
    set_timer, scheduler = ask
    for _ in range(3):
        set_timer(0.01)
        assert scheduler._open_jobs.acquire(timeout=20)


def test_another_delay_is_another_look(ask):
    set_timer, scheduler = ask
    set_timer(0.05)
    set_timer(0.06)
    assert scheduler._open_jobs.acquire(timeout=20) and scheduler._open_jobs.acquire(timeout=20)

"""Timers of Snakemake's scheduler: none unless its limit of jobs a second holds jobs back."""

import runpy
from types import SimpleNamespace

import pytest
from copies import ROOT
from snakemake.scheduling.job_scheduler import JobRateLimiter, JobScheduler, MaxJobsPerTimespan


def timers_set(monkeypatch, delay: float, started: int, limited: bool = True) -> list:
    """Return the delays of timers that are set after so many jobs started, with a limit of 2 in a minute."""
    limiter, found = JobRateLimiter(MaxJobsPerTimespan(2, "1m")), []
    limiter.register_jobs(started)
    monkeypatch.setattr(JobScheduler, "_schedule_reevalutation", lambda scheduler, delay: found.append(delay))
    runpy.run_path(str(ROOT / "rules/functions/scheduler.smk"))
    JobScheduler._schedule_reevalutation(SimpleNamespace(job_rate_limiter=limiter if limited else None), delay)
    return found


@pytest.mark.parametrize(("started", "expected"), [(0, []), (1, []), (2, [60])])
def test_a_timer_is_set_when_no_more_jobs_may_start(monkeypatch, started, expected):
    assert timers_set(monkeypatch, 60, started) == expected


@pytest.mark.parametrize("limited", [True, False])
def test_timers_of_another_delay_are_set_as_ever(monkeypatch, limited):
    """Of inputs that come through a queue."""
    assert timers_set(monkeypatch, 10, 0, limited) == [10]

# Snakemake's scheduler, without timers that nobody needs.
#
# After each look at the jobs it sets a timer to look again when its limit of jobs a second (--max-jobs-per-timespan) allows
# more, and that look sets another. So each finished job begins a chain of looks that lasts as long as the run: of 600 jobs the
# engine took a third of a processor (snakemake/snakemake#2967). Jobs that finish cause looks by themselves; a timer is needed
# only where the limit holds jobs back.

from snakemake.scheduling.job_scheduler import JobScheduler

_set_timer = JobScheduler._schedule_reevalutation


def set_timer_if_limited(scheduler, delay):
    limiter = scheduler.job_rate_limiter
    if limiter is None or delay != limiter.timespan or limiter.get_free_jobs() == 0:
        _set_timer(scheduler, delay)


JobScheduler._schedule_reevalutation = set_timer_if_limited

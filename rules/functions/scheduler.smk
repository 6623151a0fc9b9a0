# Snakemake's scheduler, with one timer at a time.
#
# After each look at the jobs it sets a timer to look again when its limit of jobs a second (--max-jobs-per-timespan) allows
# more, and that look sets another. So each finished job begins a chain of looks that lasts as long as the run, and the engine
# takes more and more of a processor (snakemake/snakemake#2967). One timer serves all who wait for the same moment.

import threading

from snakemake.scheduling.job_scheduler import JobScheduler

_pending = set()  # of each timer that runs, its scheduler and delay


def set_timer_once(scheduler, delay):
    key = (id(scheduler), delay)
    if key in _pending:
        return

    def end():
        _pending.discard(key)  # before the look, which may set the next
        scheduler._open_jobs.release()

    _pending.add(key)
    timer = threading.Timer(delay, end)
    timer.daemon = True  # a run that is done does not wait for it
    timer.start()


JobScheduler._schedule_reevalutation = set_timer_once

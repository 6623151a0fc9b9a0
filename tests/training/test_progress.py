"""The progress of jobs, from their files alone."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import rich.console

import watch
from selfdoubt.runtime import time_left
from selfdoubt.training import progress
from selfdoubt.training.progress import Progress, jobs

STATES = ("running", "lost", "running", "done")
SCRIPTS = Path(progress.__file__).resolve().parents[2]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """A clock of which the test moves the hand."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(progress.time, "time", lambda: now[0])
    return now


def file_of(folder: Path, name: str = "rule/data/model/replicate-1") -> Path:
    return folder / f"{name}.log{progress.SUFFIX}"


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_epochs_give_pace_and_time_left_by_hand(tmp_path, clock):
    job = Progress(file_of(tmp_path), epochs=4)
    clock[0] += 10
    job.epoch(0, 200, loss=2.0, accuracy=0.5)
    clock[0] += 20
    job.epoch(1, 200, loss=1.0, accuracy=0.75)
    start, first, second = lines(file_of(tmp_path))
    assert (start["state"], start["epochs"], start["pid"]) == ("running", 4, os.getpid())
    assert (first["images_per_second"], first["seconds_left"]) == (20, 30)  # three more epochs of 10 s
    assert (second["images_per_second"], second["seconds_left"]) == (10, 30)  # two more of (10 + 20) / 2 s
    assert (second["loss"], second["accuracy"]) == (1.0, 0.75)


def test_a_job_is_running_done_or_lost(tmp_path, clock):
    for name in ("a", "b", "c", "d"):
        job = Progress(file_of(tmp_path, name), epochs=2)
        clock[0] += 1
        job.epoch(0, 10, loss=1.0)
    job.end()  # d
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for name, changed in (("b", {"pid": dead.pid}), ("c", {"host": "elsewhere"})):
        first, *rest = lines(file_of(tmp_path, name))
        file_of(tmp_path, name).write_text("\n".join(map(json.dumps, [first | changed, *rest])))
    assert {job.name: job.state for job in jobs(tmp_path)} == dict(zip("abcd", STATES, strict=True))
    clock[0] += 7200  # nothing was heard of the other machine for long
    assert {job.name: job.state for job in jobs(tmp_path)}["c"] == "lost"
    assert jobs(tmp_path)[0].n_epochs == 1 and jobs(tmp_path)[0].seconds_left == 0


def test_a_line_cut_short_by_a_kill_is_left_out(tmp_path, clock):
    job = Progress(file_of(tmp_path), epochs=2)
    job._pace = 1.0
    clock[0] += 1
    job.epoch(0, 10, loss=1.0)
    with file_of(tmp_path).open("a") as file:
        file.write('{"epoch": 1, "lo')
    (found,) = jobs(tmp_path)
    assert found.n_epochs == 1 and found.state == "running"
    file_of(tmp_path).write_text('{"ti')
    assert jobs(tmp_path) == []


def test_a_second_run_starts_its_file_anew(tmp_path):
    for _ in range(2):
        Progress(file_of(tmp_path), epochs=3)
    assert len(lines(file_of(tmp_path))) == 1


def test_without_a_file_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = Progress(None, 2)
    job.epoch(0, 5, loss=1.0)
    job.end()
    assert not list(tmp_path.iterdir())


def test_the_table_shows_who_runs_and_counts_the_rest(tmp_path, clock):
    for name in ("train_teacher/a", "distill_student/b"):
        job = Progress(file_of(tmp_path, name), epochs=5)
        clock[0] += 65
        job.epoch(0, 650, loss=1.25, accuracy=0.5)
    job.end()
    console = rich.console.Console(width=120, record=True, file=io.StringIO())
    console.print(watch.table(jobs(tmp_path)))
    text = console.export_text()
    assert "train_teacher/a" in text and "distill_student" not in text.replace("1 done", "")
    assert "1/5" in text and "1.250" in text and "50.0%" in text and "1 done" in text
    assert "3:15" in text  # four more epochs of 65 s, 65 s ago


def test_once_prints_one_table_and_ends(tmp_path):
    Progress(file_of(tmp_path, "train_teacher/a"), epochs=2)
    wrong = [sys.executable, str(SCRIPTS / "watch.py"), "--once", "--folder", str(tmp_path / "nothing")]
    refused = subprocess.run(wrong, capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "nothing is no folder" in refused.stderr
    line = [sys.executable, str(SCRIPTS / "watch.py"), "--once", "--folder", str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    assert "train_teacher/a" in done.stdout and "0/2" in done.stdout and "0 done" in done.stdout


# ---- the whole run ----

PLANNED = [f"train_teacher/{data}/{model}/replicate-{r}" for data in "xy" for model in "ab" for r in (1, 2)]
BEGAN = 1000.0


def run_of(folder: Path, planned: list[str], **done: tuple[float, float]) -> Path:
    """The folder of benchmark files of a run that began at BEGAN; done: when each job ended, and its seconds."""
    folder = folder / "benchmarks"
    time_left.write_plan(folder, planned)
    os.utime(folder / time_left.PLAN, (BEGAN, BEGAN))
    for name, (ended, seconds) in done.items():
        path = folder / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t-\n")
        os.utime(path, (ended, ended))
    return folder


def test_the_time_left_of_a_run_by_hand(tmp_path):
    """Two at once for 30 s: x/a took 20 s and 10 s, x/b 30 s. Left are x/b-2 (30), and y, of which nothing is known
    but the rule (20 on average): 4 jobs.
    """
    ends = {"a/replicate-1": (1020, 20), "a/replicate-2": (1030, 10), "b/replicate-1": (1030, 30)}
    folder = run_of(tmp_path, [*PLANNED, "plot_figure/c"], **{f"train_teacher/x/{k}": end for k, end in ends.items()})
    found = time_left.estimate(folder, {}, now=1030)
    assert (found.n_done, found.n_jobs, found.at_once) == (3, 9, 2)
    assert found.seconds == (30 + 4 * 20) / 2
    assert found.unknown == {"plot_figure": 1}
    text = watch.sentence(found)
    assert text.startswith("run: 3 of 9 jobs done; 2.0 at once on average; about 0:00:55 left")
    assert text.endswith("no job is done: 1 plot_figure")


def test_a_job_of_another_rule_or_an_earlier_run_is_not_done_but_its_cost_counts(tmp_path):
    folder = run_of(tmp_path, PLANNED[:2], **{PLANNED[0]: (BEGAN - 1, 40)})
    found = time_left.estimate(folder, {PLANNED[1]: (10, None)}, now=BEGAN + 10)
    assert (found.n_done, found.at_once, found.unknown) == (0, 1, {})
    assert found.seconds == 40 + (40 - 10)
    folder = run_of(tmp_path / "other", PLANNED[:1], **{"predict/x/a/replicate-1": (BEGAN + 5, 5)})
    found = time_left.estimate(folder, {}, now=BEGAN + 5)
    assert (found.seconds, found.unknown) == (None, {"train_teacher": 1})
    assert "time left not known yet" in watch.sentence(found)


def test_what_a_running_job_reports_goes_before_the_mean_and_the_longest_job_bounds_the_rest(tmp_path):
    done = {PLANNED[0]: (BEGAN + 10, 10)}
    folder = run_of(tmp_path, PLANNED[:3], **done)
    running = {PLANNED[1]: (10, 500), PLANNED[2]: (10, None)}
    found = time_left.estimate(folder, running, now=BEGAN + 10)
    assert (found.at_once, found.seconds) == (3, 500)  # (500 + 0) / 3 were less than the 500 of one job


def test_a_finished_run_has_nothing_left_and_without_a_plan_there_is_no_estimate(tmp_path):
    folder = run_of(tmp_path, PLANNED[:1], **{PLANNED[0]: (BEGAN + 10, 10)})
    found = time_left.estimate(folder, {}, now=BEGAN + 10)
    assert (found.n_done, found.seconds, found.unknown) == (1, 0, {})
    assert "left" not in watch.sentence(found)
    (folder / f"{PLANNED[0]}.tsv").write_text("s\th:m")  # truncated by a kill
    assert time_left.estimate(folder, {}, now=BEGAN + 10).seconds == 0
    (folder / time_left.PLAN).unlink()
    assert time_left.estimate(folder, {}) is None


def test_once_prints_the_estimate_below_the_table(tmp_path, clock):
    run_of(tmp_path, PLANNED[:2], **{PLANNED[0]: (BEGAN + 60, 60)})
    logs = tmp_path / "logs"
    Progress(file_of(logs, PLANNED[1]), epochs=2)
    clock[0] += 60
    console = rich.console.Console(width=200, record=True, file=io.StringIO())
    console.print(watch.shown(logs))
    text = console.export_text()
    assert PLANNED[1] in text and "0/2" in text
    assert "run: 1 of 2 jobs done; 2.0 at once on average; about 0:00:00 left" in text  # 60 s each, at once

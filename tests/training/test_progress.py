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
    line = [sys.executable, str(SCRIPTS / "watch.py"), "--once", "--folder", str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=60)
    assert "train_teacher/a" in done.stdout and "0/2" in done.stdout and "0 done" in done.stdout

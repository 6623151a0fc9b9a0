"""One run at a time in a folder, and what it does before its first job."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from selfdoubt.runtime import run_lock
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

LIBRARY = Path(run_lock.__file__).resolve().parents[2]
HOLDER = """
import sys
from pathlib import Path
from selfdoubt.runtime import run_lock as running
running.hold(Path(sys.argv[1]), False)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path) -> Path:
    return tmp_path / ".snakemake/run.lock"


@pytest.fixture
def holder(lock):
    """Another process that holds the lock."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, env={"PYTHONPATH": str(LIBRARY)}, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize("there", [True, False])
def test_a_project_that_cannot_be_written_to_is_refused_before_anything(lock, monkeypatch, there):
    asked, answers = [], [True, False]
    monkeypatch.setattr(os, "access", lambda path, _: asked.append(path) or answers.pop(0))  # root may write anywhere
    if there:
        lock.parent.mkdir()
    run_lock.check_notes(lock.parent)
    with pytest.raises(UserError, match=r"\.snakemake: cannot be written to, and Snakemake keeps its notes there; "):
        run_lock.check_notes(lock.parent)
    assert asked == [lock.parent if there else lock.parent.parent] * 2


def test_nobody_runs_where_nobody_ran(lock):
    assert not run_lock.is_running(lock)


def test_a_second_run_is_refused_and_names_the_first(lock, holder):
    assert run_lock.is_running(lock)
    with pytest.raises(UserError, match=rf"run .* is going on here \(process {holder.pid} on .+\); wait"):
        run_lock.hold(lock, was_running=True)


def test_the_lock_ends_with_a_killed_process(lock, holder):
    holder.kill()
    holder.wait()
    assert not run_lock.is_running(lock)
    run_lock.hold(lock, was_running=False)
    assert run_lock.is_running(lock) and lock.read_text().startswith(f"process {os.getpid()} on ")


def test_no_child_inherits_the_lock(lock):
    """Else a job that outlives its engine would keep everybody out."""
    run_lock.hold(lock, was_running=False)
    file = run_lock._held.pop()
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        os.close(file)
        free = not run_lock.is_running(lock)
        child.kill()
    assert free


def test_what_was_to_do_when_another_run_went_on_is_not_trusted(lock):
    with pytest.raises(UserError, match="run again"):
        run_lock.hold(lock, was_running=True)


def test_a_file_system_without_locks_is_reported_and_used(lock, monkeypatch, capsys):
    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    run_lock.hold(lock, was_running=False)
    assert "run.lock: this file system has no locks (No locks available)" in capsys.readouterr().out
    assert not run_lock.is_running(lock)


# ---- before the first job ----


def files(tmp_path, **ages: float) -> dict[str, Path]:
    """Files of results, by name so many seconds old."""
    now = time.time()
    (tmp_path / "results/deep").mkdir(parents=True)
    found = {name: tmp_path / "results/deep" / name for name in ages}
    for name, path in found.items():
        path.write_text(name)
        os.utime(path, (now - ages[name],) * 2)
    return found


def test_what_killed_jobs_left_is_removed_and_nothing_else(tmp_path):
    kept = files(tmp_path, **{"a.parquet": 9, ".hidden": 9, "b.tmp": 9, ".c.tmp": 9})
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "results/deep/a.parquet") as left:
        raise KeyboardInterrupt
    left.write_text("half")
    run_lock.clean_workdir(tmp_path / "results", tmp_path / "shared")
    assert sorted(path.name for path in (tmp_path / "results/deep").iterdir()) == sorted(kept)


def test_dates_in_the_future_come_before_now_in_their_order(tmp_path, capsys):
    found = files(tmp_path, old=100, young=50, later=-1000, latest=-2000, same=-2000)
    fetched = tmp_path / "downloads/b"
    fetched.parent.mkdir()
    fetched.write_text("")
    os.utime(fetched, (time.time() + 1500,) * 2)
    old = found["old"].stat()
    run_lock.clean_workdir(tmp_path / "results", fetched.parent)
    dates = {name: path.stat().st_mtime for name, path in found.items()}
    middle = fetched.stat().st_mtime
    assert dates["old"] < dates["young"] < dates["later"] < middle < dates["latest"] == dates["same"] < time.time()
    assert found["old"].stat() == old
    assert "4 files were dated after now" in capsys.readouterr().out


def test_all_of_it_may_be_of_the_future(tmp_path):
    found = files(tmp_path, one=-1000, other=-2000)
    run_lock.clean_workdir(tmp_path / "results", tmp_path / "shared")
    assert found["one"].stat().st_mtime < found["other"].stat().st_mtime < time.time()


def test_dates_in_the_past_stay(tmp_path, capsys):
    found = files(tmp_path, one=10)
    before = found["one"].stat()
    run_lock.clean_workdir(tmp_path / "results", tmp_path / "shared")
    assert found["one"].stat() == before and capsys.readouterr().out == ""


def test_no_results_yet(tmp_path):
    run_lock.clean_workdir(tmp_path / "results", tmp_path / "shared")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    files(tmp_path, one=10)
    monkeypatch.setattr(os, "access", lambda path, _: not str(path).endswith("deep"))  # root may write anywhere
    with pytest.raises(UserError, match="results/deep: cannot be written to"):
        run_lock.clean_workdir(tmp_path / "results", tmp_path / "shared")

"""A file under its final name is whole, whatever went wrong while it was written."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

LIBRARY = Path(__file__).resolve().parents[2] / "workflow_scripts"


def test_a_file_gets_its_name_and_its_folders(tmp_path):
    path = tmp_path / "new" / "folder" / "a.txt"
    with atomic_path(str(path)) as temporary:
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == tmp_path  # a rename across file systems would be a copy
    assert path.read_text() == "new"


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, fault):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(fault), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise fault
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writing_nothing_is_a_failure(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert not list(tmp_path.iterdir())


def test_the_bytes_are_on_disk_before_the_name_is(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.txt", []
    monkeypatch.setattr(os, "fsync", lambda file: seen.append((os.fstat(file).st_size, path.exists())))
    with atomic_path(path) as temporary:
        temporary.write_text("whole")
    assert seen == [(len("whole"), False)]


def test_a_full_disk_is_reported_in_one_line_and_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UserError, match=r"a\.txt: the disk is full; make room and run again"):  # noqa: SIM117
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_a_killed_process_leaves_no_file_under_the_name(tmp_path):
    lines = [
        "import os, sys",
        "from selfdoubt.runtime.atomic_files import atomic_path",
        "with atomic_path(sys.argv[1]) as path:",
    ]
    lines += ["    path.write_text('half')", "    os.kill(os.getpid(), 9)"]
    command = [sys.executable, "-c", "\n".join(lines), str(tmp_path / "a.txt")]
    run = subprocess.run(command, env={"PYTHONPATH": str(LIBRARY)}, check=False)
    assert run.returncode == -9
    assert not (tmp_path / "a.txt").exists()

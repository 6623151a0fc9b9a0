"""Set-up by make: once, also where two start at the same time."""

import shutil
import subprocess

import pytest
from copies import ROOT

PYTHON = """#!/bin/sh
# Stands in for Python: a venv takes a while, and holds this file; all else succeeds.
case "$*" in "-m venv .venv") echo made >> log; mkdir -p .venv/bin; sleep 1; cp python .venv/bin/python ;; esac
"""


@pytest.mark.skipif(not (shutil.which("make") and shutil.which("flock")), reason="make and flock")
@pytest.mark.parametrize("outdated", [False, True])
def test_two_that_start_at_once_make_one_environment(tmp_path, outdated):
    """Else the second removes what the first is installing, or runs from."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "envs").mkdir()
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    if outdated:
        (tmp_path / ".venv").mkdir()
        (tmp_path / ".venv/lock-installed").touch()
    (tmp_path / "envs/requirements.lock").write_text("nvidia-a==1\nb==2\n")
    command = ["make", "env", "PYTHON=./python"]
    makes = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in "ab"]
    outputs = [make.communicate(timeout=60)[0] for make in makes]
    assert [make.returncode for make in makes] == [0, 0], outputs
    assert (tmp_path / "log").read_text() == "made\n" and (tmp_path / ".venv/lock-installed").exists()
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "venv" not in again.stdout and (tmp_path / "log").read_text() == "made\n"


@pytest.mark.skipif(not shutil.which("make"), reason="make")
def test_another_python_is_refused_in_one_line(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/requirements.lock").touch()
    run = subprocess.run(["make", "env", "PYTHON=false"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "false is not Python 3.11 to 3.13; name one that is" in run.stdout
    assert not (tmp_path / ".venv").exists()

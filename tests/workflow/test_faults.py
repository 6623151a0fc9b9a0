"""Faults of the machine and of its users, through Snakemake: reported in one line, nothing half-written, nothing lost.

Jobs are fakes, but for their deaths, which `make soak` and test_training_state see to. docs/reliability.md has it all.
"""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from copies import Copy
from disks import mounted, small_disk
from helpers import comes_true
from small_training import BASELINE, SCRIPTS, arguments_of, files_of

from selfdoubt.runtime import run_lock

SVG, PDF = "results/default/figures/reliability.svg", "results/default/figures/reliability.pdf"
KD = "results/default/checkpoints/fashion-mnist-12k/kd/replicate-1.safetensors"
WAITS = """#!/bin/sh
# A job that notes who it is, and lasts as long as the file `slow` is there.
echo $$ > job
while [ -e slow ]; do sleep 0.05; done
"""


def run(copy: Copy, *arguments: str) -> tuple[int, str]:
    """Run Snakemake; return its exit code and output, in which no stack trace may be."""
    found = copy.snakemake(*arguments)
    output = found.stdout + found.stderr
    assert "Traceback" not in output
    return found.returncode, output


def leave_to_do(copy: Copy) -> None:
    (copy.folder / SVG).unlink()


@pytest.fixture
def slow(copy):
    """A start of Snakemake whose one job waits; `slow.folder` as of a copy."""
    leave_to_do(copy)
    fake = copy.folder / "fakes/python"
    fake.write_text(fake.read_text().replace("#!/bin/sh\n", WAITS, 1))
    (copy.folder / "slow").touch()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--resources", "gpu=4"]
    with subprocess.Popen(command, cwd=copy.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as engine:
        assert comes_true((copy.folder / "job").exists)
        yield engine
        (copy.folder / "slow").unlink(missing_ok=True)
        engine.kill()


def test_a_second_run_in_a_folder_is_refused_and_does_the_first_no_harm(copy, slow):
    code, output = run(copy)
    assert code == 1
    assert f"{copy.folder}: run 'default' is going on here (process {slow.pid} on " in output.splitlines()[-1]
    dry = copy.snakemake("-n")
    assert dry.returncode == 0 and "lock" not in dry.stdout + dry.stderr
    (copy.folder / "slow").unlink()
    assert slow.wait() == 0
    assert copy.jobs() == set()


def test_after_a_killed_engine_the_same_command_goes_on(copy, slow):
    slow.kill()
    slow.wait()
    os.kill(int((copy.folder / "job").read_text()), signal.SIGKILL)  # a real one dies with its engine
    (copy.folder / "slow").unlink()
    code, output = run(copy)
    assert code == 0 and "unlock" not in output
    assert copy.jobs() == set() and not run_lock.is_running(copy.folder / ".snakemake/default.lock")


def test_what_a_killed_job_left_is_gone_after_the_next_run(copy):
    leave_to_do(copy)
    left = copy.folder / "results/default/figures/.reliability.svg.12345.tmp"
    left.write_text("<svg")
    assert copy.jobs() and left.exists()  # a dry run removes nothing
    assert run(copy)[0] == 0
    assert not left.exists()


# ---- clocks ----


def test_a_clock_that_was_set_back_hides_no_work(copy):
    """Without `run_lock.clean_workdir` the new checkpoint looks older than what was made of the old one."""
    for path in copy.folder.glob("results/**/*"):
        if path.is_file():
            date = path.stat().st_mtime + 86_400
            os.utime(path, (date, date))
    assert copy.jobs() == set()
    fake = copy.folder / "fakes/python"
    fake.write_text(fake.read_text().replace('echo "$word"', 'echo "$word again"'))
    copy.edit_config(lambda config: config["students"]["kd"]["loss"].update(temperature=2))
    code, output = run(copy, KD)
    assert code == 0 and "files were dated after now" in output
    assert {"predict:kd/1", "distill_student:kd/2", "communicate:trio/1/persuasion"} <= copy.jobs()


# ---- disks ----


@contextmanager
def read_only(folder: Path):
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield


def test_results_that_cannot_be_written_to_are_named_before_any_job(copy):
    leave_to_do(copy)
    results = copy.folder / "results/default"
    (results / "report/index.html").unlink()  # else Snakemake reports it first
    (results / PDF.removeprefix("results/default/")).unlink()
    for name in ("report/config.yaml", "report/Snakefile", "ro-crate-metadata.json"):
        (results / name).unlink()
    for suffix in ("png", "csv"):
        (results / f"figures/reliability.{suffix}").unlink()
    before = sorted(results.rglob("*"))
    with read_only(results):
        code, output = run(copy)
        last = output.splitlines()[-1]
        assert code == 1 and last.startswith("results/default: cannot be written to; ") and "permission" in last
        assert sorted(results.rglob("*")) == before
    assert run(copy)[0] == 0


def test_results_that_would_be_made_again_and_cannot_be_are_named_before_any_job(copy):
    """By Snakemake, which is first to look at them."""
    copy.edit_config(lambda config: config["students"]["kd"]["loss"].update(temperature=2))
    before = {path: path.stat().st_mtime_ns for path in (copy.folder / "results").rglob("*")}
    with read_only(copy.folder / "results"):
        code, output = run(copy)
        assert code == 1 and "Write-protected output files for rule " in output and "affected files:\n" in output
        assert {path: path.stat().st_mtime_ns for path in (copy.folder / "results").rglob("*")} == before
        assert copy.snakemake("--summary").returncode == 0  # what only reads goes on


def test_a_project_that_cannot_be_written_to_at_all_is_refused_in_one_line(copy):
    message = f"{copy.folder}/.snakemake: cannot be written to, and Snakemake keeps its notes there; "
    with read_only(copy.folder):
        for options in ([], ["--summary"]):
            code, output = run(copy, *options)
            assert code == 1 and output.splitlines()[-1].startswith(message)


@pytest.mark.parametrize("when", ["at the start", "on the way"])
def test_a_full_disk_loses_nothing_and_room_is_all_it_takes(copy, when, tmp_path):
    """The whole project is on a small disk, which something else fills, or one of its own jobs."""
    with small_disk(tmp_path / "small", "60m") as small:
        subprocess.run(["cp", "-a", f"{copy.folder}/.", small], check=True)
        there = Copy(small)
        leave_to_do(there)
        fake = (small / "fakes/python").read_text()
        if when == "at the start":
            (small / "filler").write_bytes(bytes(shutil.disk_usage(small).free))
        else:
            (small / "fakes/python").write_text("#!/bin/sh\nhead -c 90M /dev/zero > filler || { echo full; exit 1; }\n")
        code, output = run(there)
        assert code == 1
        assert ("results/default: the disk is full" in output.splitlines()[-1]) == (when == "at the start")
        assert not (small / SVG).exists()
        (small / "filler").unlink()
        (small / "fakes/python").write_text(fake)
        assert run(there)[0] == 0 and (small / SVG).exists()


# ---- memory ----


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit")
def test_a_job_out_of_memory_reports_it_and_leaves_nothing(tmp_path):
    """A batch of which a step takes more than the job may have; the limit leaves room for the libraries."""
    files = files_of(tmp_path)
    settings = BASELINE | {"network": {"family": "convnet", "widths": [60_000, 60_000]}}
    words = ["prlimit", f"--as={6 * 10**9}", sys.executable, SCRIPTS / "train_on_labels.py"]
    found = subprocess.run([*words, *arguments_of(1, settings, **files)], capture_output=True, text=True, check=False)
    assert found.returncode == 1
    assert found.stderr.count("\n") == 1 and "out of memory; lower the batch size" in found.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train", "val"]


# ---- missing files ----


def test_what_is_missing_is_made_again_where_it_is_needed(copy):
    (copy.folder / KD).unlink()
    assert copy.jobs() == set()  # all that was made of it is there
    for kind in ("predictions", "metrics"):
        (copy.folder / f"results/default/{kind}/fashion-mnist-12k/kd/replicate-1/clean.parquet").unlink()
    assert copy.jobs() == set()
    (copy.folder / "results/default/tables/metrics.parquet").unlink()
    assert {"distill_student:kd/1", "predict:kd/1", "compute_metrics:kd/1/clean"} <= copy.jobs()
    assert run(copy, "--resources", "gpu=4")[0] == 0
    assert (copy.folder / KD).exists()


def test_a_file_that_goes_missing_during_a_run_is_named(copy):
    """The first job of two removes what the second one needs."""
    for name in (SVG, "results/default/figures/risk-coverage.svg"):
        (copy.folder / name).unlink()
    gone = "results/default/predictions/fashion-mnist-12k/ce/replicate-1/clean.parquet"
    fake = copy.folder / "fakes/python"
    whole = fake.read_text()
    fake.write_text(f"{whole}rm -f {gone}\n")
    code, output = run(copy, "--latency-wait", "0", "--cores", "1")
    assert code == 1 and f"{gone} (missing locally)" in output
    fake.write_text(whole)
    assert run(copy, "--resources", "gpu=4")[0] == 0
    assert (copy.folder / gone).exists() and (copy.folder / SVG).exists()

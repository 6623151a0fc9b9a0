"""What `make soak` looks for it finds: each fault is put by hand into a finished study, whose jobs were fakes."""

import base64
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import soak
from copies import ROOT

PAGE = ROOT / "docs/reliability.md"
TABLE = "results/default/tables/metrics.parquet"
CHECKPOINT = "results/default/checkpoints/fashion-mnist-12k/ce/replicate-1.safetensors"
STATE = "results/default/state/fashion-mnist-12k/ce/replicate-1/0123.safetensors"


@pytest.fixture
def watch(copy, tmp_path) -> soak.Soak:
    """A soak whose first study, `watch.folder`, is done and as it should be."""
    watch = soak.Soak(tmp_path, n_faults=1, seed=0)
    watch.folder, watch.scratch, watch.studies = copy.folder, tmp_path / "scratch", 1
    watch.scratch.mkdir()
    watch.expected, watch.kept = soak.digests(copy.folder), soak.finished(copy.folder)
    assert CHECKPOINT in watch.expected.keys() & watch.kept.keys()
    return watch


def found(watch: soak.Soak, code: int = 0) -> list[str]:
    watch.compare(watch.folder, watch.scratch, code)
    return watch.found


def write(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def flipped(path: Path) -> None:
    """Change a file's bytes, and not its date."""
    date = path.stat().st_mtime_ns
    path.write_text(f"{path.read_text()}!")
    os.utime(path, ns=(date, date))


def remade(path: Path) -> None:
    """Make a file again, of the same bytes and date."""
    date, again = path.stat().st_mtime_ns, path.with_name("again")
    again.write_bytes(path.read_bytes())
    os.utime(again, ns=(date, date))
    again.replace(path)


def begun(watch: soak.Soak) -> None:
    """Let Snakemake's mark of a job that runs stand beside its record."""
    write(watch.folder / ".snakemake/incomplete" / base64.urlsafe_b64encode(CHECKPOINT.encode()).decode())


FAULTS = [
    (lambda w: flipped(w.folder / TABLE), [f"differs: {TABLE}"]),
    (lambda w: (w.folder / CHECKPOINT).unlink(), [f"missing: {CHECKPOINT}"]),
    (lambda w: write(w.folder / "results/default/figures/old.svg"), ["too much: results/default/figures/old.svg"]),
    (
        lambda w: write(w.folder / "results/default/logs/.a.7.tmp"),
        ["left over: repository/results/default/logs/.a.7.tmp"],
    ),
    (lambda w: write(w.folder / STATE), [f"too much: {STATE}", f"left over: repository/{STATE}"]),
    (lambda w: write(w.scratch / "words"), ["left over: scratch/words"]),
    (begun, [f"left over: {CHECKPOINT}"]),
]


def test_nothing_is_found_where_nothing_is_wrong(watch):
    assert found(watch) == []


@pytest.mark.parametrize(("fault", "reports"), FAULTS)
def test_each_fault_is_reported(watch, fault, reports):
    fault(watch)
    assert found(watch) == [f"study 1: {text}" for text in reports]


def test_a_finished_file_that_was_made_again_is_reported(watch):
    remade(watch.folder / CHECKPOINT)
    assert found(watch) == [f"made twice: {CHECKPOINT}"]


def test_a_start_that_fails_is_reported(watch):
    assert found(watch, code=1) == ["study 1: exit code 1"]


def test_what_is_left_running_is_reported_and_ended(watch, monkeypatch):
    monkeypatch.setattr(soak, "_ORPHAN_SECONDS", 0.5)
    start = SimpleNamespace(name="test-soak-1", engine=SimpleNamespace(wait=lambda: None))
    start.left = lambda: soak.Start.left(start)
    line = [sys.executable, "-c", "import time; time.sleep(60)", "workflow_scripts/predict.py"]
    with subprocess.Popen(line, env=os.environ | {soak.MARK: start.name}) as process:
        watch.ended(start)
        assert process.wait(10) < 0
    assert watch.found == [f"left running: {' '.join(line)} "]
    watch.ended(start)
    assert len(watch.found) == 1


@pytest.fixture
def start_of(watch, monkeypatch):
    """Make a start of a Python that sleeps in the place of Snakemake; it is ended afterwards."""
    made = []

    def start(seconds: float, first: str = "pass") -> soak.Start:
        # A Python that still starts may swallow an interrupt, so a start is handed out when its first line has run.
        line = f"import signal, time; {first}; print('ready', flush=True); time.sleep({seconds})"
        monkeypatch.setattr(soak, "COMMAND", [sys.executable, "-c", line])
        made.append(soak.Start(watch.folder, "test-soak-2", watch.scratch))
        log = watch.folder.with_name(f"{watch.folder.name}.log")
        while "ready" not in log.read_text():
            assert not made[-1].ended(0.01)
        return made[-1]

    yield start
    for each in made:
        each.engine.kill()
        each.engine.wait()


def test_an_interrupt_reaches_a_start_even_where_the_soak_ignores_it(start_of):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start = start_of(60)
    finally:
        signal.signal(signal.SIGINT, before)
    assert soak.disturb(start, "interrupted", random.Random(0)) == soak.NO_JOB
    assert start.ended(20)
    assert start.engine.returncode


@pytest.mark.parametrize("jobs", [{}, {4711: "predict.py"}])
def test_a_start_that_goes_on_to_its_end_was_not_disturbed_and_must_not_have_jobs(watch, start_of, monkeypatch, jobs):
    start = start_of(2, "signal.signal(2, signal.SIG_IGN)")
    monkeypatch.setattr(watch.draw, "choice", lambda kinds: "interrupted")
    monkeypatch.setattr(start, "jobs", lambda: jobs)
    assert not watch.fault(start, watch.folder)
    assert not watch.hits
    reports = "start test-soak-2: went on to its end, though interrupted in predict.py"
    assert watch.found == ([reports] if jobs else [])

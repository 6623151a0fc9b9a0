"""The check of GPUs, on the CPU: it compares what it should, and can fail."""

import json
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from copies import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import check_gpu
import gpu_paths
import gpu_processes
import gpu_speed
from check_gpu import FAILED, MEASURED, MISSING, NOT_RUN, PASSED

CPU = torch.device("cpu")
TRAINED = ("float32", "sam", "swa", "ema", "cutmix", "mask-cutmix", "distillation-online", "distillation-stored")
QUICK = ["float32", "bfloat16", "sam", "cutmix", "distillation-stored", "enhancer"]


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> gpu_paths.Paths:
    torch.set_num_threads(1)
    return gpu_paths.Paths(gpu_paths.TINY, tmp_path_factory.mktemp("paths"))


def test_the_cpu_equals_itself_and_what_needs_a_card_is_named(tmp_path):
    rows = {row.name: row for row in check_gpu.checked(CPU, tmp_path, [*QUICK, *check_gpu.NEED_A_CARD])}
    assert {name: row.state for name, row in rows.items() if name in QUICK} == dict.fromkeys(QUICK, PASSED)
    assert {rows[name].found for name in QUICK} == {0}
    assert {row.state for name, row in rows.items() if name not in QUICK} == {NOT_RUN} and len(rows) == 13


def test_what_is_measured_runs_on_the_cpu_too(tmp_path):
    rows = {row.name: row for row in check_gpu.checked(CPU, tmp_path, ["speed", "attacks", "metrics"])}
    assert {name: row.state for name, row in rows.items()} == dict.fromkeys(rows, MEASURED) and len(rows) == 3
    assert all(row.found > 0 and row.detail for row in rows.values())


def test_a_peer_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "airbench", None)
    row = check_gpu.row_of("airbench", None, lambda: gpu_speed.airbench(gpu_paths.TINY, CPU))
    assert row.state == MISSING and gpu_speed.AIRBENCH in row.detail


def test_our_side_of_airbenchs_row_trains_on_three_channels():
    train = replace(gpu_paths.made_up(48, 16), images=np.zeros((48, 3, 16, 16), np.uint8))
    gpu_speed._epoch(train, gpu_paths.TINY, CPU, (2, 4, 4), 16)


def test_a_step_that_waits_fails(paths, tmp_path, monkeypatch):
    """In the place of the driver: what torch raises there."""
    states = []
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", states.append)
    paths.unwaited(CPU)
    assert states == ["error", "default"] * 5 * 3  # five ways, of 48 images in batches of 16

    def raised(mode: str) -> None:
        if mode == "error":
            raise RuntimeError("called a synchronizing CUDA operation")

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", raised)
    row = check_gpu.row_of("waits", None, lambda: check_gpu.no_waits(paths, CPU))
    assert row.state == FAILED and "synchronizing" in row.detail


def test_another_way_of_training_is_beyond_the_limit(paths):
    """Else a device that left out a technique would pass."""
    made = {name: path(CPU) for name, path, _ in paths.all() if name in TRAINED}
    plain, online = made.pop("float32"), made.pop("distillation-online")
    assert made["distillation-stored"].difference(online) == 0
    made["another rate"] = paths.weights(CPU, learning_rate=0.011)
    differences = {name: each.difference(plain) for name, each in made.items()}
    assert len(made) == len(TRAINED) - 1 and min(differences.values()) > gpu_paths.FLOAT32, differences


@pytest.mark.parametrize("path", ["enhanced", "decided"])
def test_images_that_do_not_move_are_beyond_the_limit(paths, path):
    made = getattr(paths, path)(CPU)
    assert gpu_paths.Made(made.start, made.start).difference(made) == 1
    assert made.difference(made) == 0


@pytest.mark.parametrize(
    ("name", "found", "limit", "state"),
    [
        ("float32", 0.01, 0.05, PASSED),
        ("float32", 0.06, 0.05, FAILED),
        ("float32", float("nan"), 0.05, FAILED),
        ("resume", None, None, PASSED),
        ("speed", 0.95, 0.93, PASSED),
        ("speed", 0.9, 0.93, FAILED),
        ("speed", 0.9, None, MEASURED),
        ("eight-at-once", 4.1, 4.0, PASSED),
        ("eight-at-once", 3.9, 4.0, FAILED),
    ],
)
def test_states(name, found, limit, state):
    row = check_gpu.row_of(name, limit, lambda: gpu_processes.Found("", found))
    assert row.state == state and row.name in check_gpu.line_of(row)


def test_trainings_of_several_processes_are_timed_at_once_and_in_turn(tmp_path):
    found = gpu_processes.at_once(gpu_paths.TINY, tmp_path, CPU, n=2)
    assert found.difference > 0 and found.detail.startswith("2 trainings in ")


def test_a_process_that_ends_fails_the_check(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(gpu_processes.Failure, match="a process ended"):
        gpu_processes.at_once(gpu_paths.TINY, tmp_path, CPU, n=1)


@pytest.mark.parametrize(("factor", "state"), [(1, PASSED), (2, FAILED)])
def test_compiled_passes_that_give_something_else_fail(paths, monkeypatch, factor, state):
    """In the place of the compiler, which takes a minute: what it returns."""
    monkeypatch.setattr(torch, "compile", lambda forward: lambda images: factor * forward(images))
    row = check_gpu.row_of("compile", gpu_paths.FLOAT32, lambda: check_gpu.compiled(paths, CPU))
    assert row.state == state


def test_what_a_check_raises_fails_it_alone(capsys):
    for fault in (gpu_processes.Failure("other bytes"), RuntimeError("other bytes\nand more")):

        def check(fault=fault):
            raise fault

        row = check_gpu.row_of("resume", None, check)
        assert row.state == FAILED and row.detail.endswith("other bytes")


@pytest.mark.parametrize(("limit", "code"), [(0.05, 0), (-1, 1)])
def test_the_table_is_written_and_a_failure_is_the_exit_code(tmp_path, monkeypatch, capsys, limit, code):
    path = tmp_path / "a/b.json"
    monkeypatch.setattr(gpu_paths, "FLOAT32", limit)
    monkeypatch.setattr(
        sys, "argv", ["check_gpu", "--device", "cpu", "--only", "float32", "lease", "--output", str(path)]
    )
    with pytest.raises(SystemExit) as end:
        check_gpu.main()
    assert end.value.code == code
    found = json.loads(path.read_text())
    assert [(row["name"], row["state"]) for row in found["rows"]] == [
        ("float32", FAILED if code else PASSED),
        ("lease", NOT_RUN),
    ]
    assert "lease                not run: no card" in capsys.readouterr().out

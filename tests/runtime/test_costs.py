"""Seconds and memory of jobs, from files as Snakemake 9 writes them."""

import os
import socket
from pathlib import Path

import pyarrow as pa
import pytest

from selfdoubt.runtime.costs import devices, read_benchmarks, span
from selfdoubt.runtime.machine import machine
from selfdoubt.runtime.schemas.costs import COSTS_SCHEMA

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
LINE = "16.57\t0:00:16\t194.73\t1565.80\t124.29\t141.46\t0.00\t16.72\t22.51\t3.85"
SHORT = "0.31\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA"  # ended before the first sample


def benchmark(folder: Path, job: str, *lines: str) -> None:
    path = folder / f"{job}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *(lines or [LINE]), ""]))


def test_a_row_for_each_job(tmp_path):
    benchmark(tmp_path, "train/fashion/ce/replicate-1")
    (row,) = read_benchmarks(tmp_path, ["train/fashion/ce/replicate-1"], tmp_path)
    assert row == {
        "rule": "train", "job": "fashion/ce/replicate-1", "seconds": 16.57, "cpu_seconds": 3.85, "max_rss_mb": 194.73,
    }  # fmt: skip
    assert pa.Table.from_pylist([row], schema=COSTS_SCHEMA).to_pylist() == [row]


def test_rows_are_sorted_by_rule_and_job(tmp_path):
    jobs = [
        "train/fashion/ce/replicate-2",
        "collect",
        "fetch/images.tar.gz",
        "train/fashion/ce/replicate-1",
        "enhance/fashion/ce/replicate-1/odin",
    ]
    for job in jobs:
        benchmark(tmp_path, job)
    found = [(row["rule"], row["job"]) for row in read_benchmarks(tmp_path, jobs, tmp_path)]
    expected = [("collect", ""), ("enhance", "fashion/ce/replicate-1/odin"), ("fetch", "images.tar.gz")]
    assert found == [*expected, ("train", "fashion/ce/replicate-1"), ("train", "fashion/ce/replicate-2")]


@pytest.mark.parametrize("job", ["distill/fashion/ce/replicate-1", "train/fashion/ce/replicate-2", "train/fashion/ce"])
def test_what_another_study_left_is_passed_over(tmp_path, job):
    """Though the names in it are known: a student that was a baseline, a replicate that is one of another model."""
    benchmark(tmp_path, job)
    benchmark(tmp_path, "train/fashion/ce/replicate-1")
    found = read_benchmarks(tmp_path, ["train/fashion/ce/replicate-1", "distill/fashion/kd/replicate-2"], tmp_path)
    assert [row["job"] for row in found] == ["fashion/ce/replicate-1"]


def test_a_job_too_short_to_be_sampled_has_seconds_alone(tmp_path):
    benchmark(tmp_path, "train/ce", SHORT)
    benchmark(tmp_path, "train/odin", SHORT.replace("NA", "-1"))
    for row in read_benchmarks(tmp_path, ["train/ce", "train/odin"], tmp_path):
        assert (row["seconds"], row["cpu_seconds"], row["max_rss_mb"]) == (0.31, None, None)


def test_every_repetition_of_a_job_has_its_row(tmp_path):
    benchmark(tmp_path, "train/ce", LINE, SHORT)
    assert [row["seconds"] for row in read_benchmarks(tmp_path, ["train/ce"], tmp_path)] == [16.57, 0.31]


def test_without_benchmarks_there_are_no_rows(tmp_path):
    assert read_benchmarks(tmp_path / "missing", ["collect"], tmp_path) == []
    (tmp_path / "collect.tsv").write_text(f"{HEADER}\n")
    assert read_benchmarks(tmp_path, ["collect", "train/ce"], tmp_path) == []


def test_a_line_that_was_cut_off_has_what_is_left(tmp_path):
    benchmark(tmp_path, "train/ce", LINE[:20])
    (row,) = read_benchmarks(tmp_path, ["train/ce"], tmp_path)
    assert (row["seconds"], row["cpu_seconds"]) == (16.57, None)


# ---- on what, and when ----


def test_the_devices_of_trainings_are_those_of_their_logs(tmp_path):
    for name, text in (
        ("train/a", "device=cuda (NVIDIA H200) precision=bfloat16 threads=1\nepoch 1\n"),
        ("train/b", "some other line\ndevice=cpu precision=float32 threads=2\n"),
        ("train/c", "device=cpu precision=float32 threads=2\n"),
        ("predict/a", "nothing of the kind\n"),
    ):
        (tmp_path / f"{name}.log").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.log").write_text(text)
    found = devices(["train/a", "train/b", "train/c", "predict/a", "train/gone"], tmp_path)
    assert found == {"cpu, float32, 2 threads": 2, "cuda (NVIDIA H200), bfloat16, 1 thread": 1}


def test_jobs_began_when_the_first_did_and_ended_with_the_last(tmp_path):
    """Each took 16.57 s, up to the time of its file."""
    for job, end in (("a", 1_000_000_000), ("b", 1_000_000_100)):
        benchmark(tmp_path, job)
        os.utime(tmp_path / f"{job}.tsv", (end, end))
    found = span(tmp_path, ["a", "b", "gone"])
    assert found == {"began": "2001-09-09T01:46:23+00:00", "ended": "2001-09-09T01:48:20+00:00"}
    assert span(tmp_path, ["gone"]) == {}


def test_a_machine_is_described_and_not_named():
    found = machine()
    assert found["threads"] >= 1 and {"system", "python"} <= found.keys()
    assert socket.gethostname() not in str(found)

"""What benchmarks are measured on and when, beside their figures, and the page that is written of them."""

import sys

import pytest
from copies import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import measure
import run
import scale

OLD = {"what": "a", "against": "b", "ours": 1.0, "theirs": 2.0, "unit": "s", "ratio": 0.5, "target": "≤ 1"}
OLD |= {"reached": True, "machine": "AMD EPYC"}


@pytest.fixture
def cpuinfo(tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(measure, "Path", lambda _: path)
    return path


def test_a_row_has_the_processor_the_day_and_the_commit():
    row = measure.Row("a", "b", 1.0, 2.0, "s", "≤", 1).as_dict()
    assert row["reached"] and row["machine"] and row["vectors"]
    assert len(row["date"].split("-")) == 3
    assert row["commit"].split()[0] == measure._git("rev-parse", "--short", "HEAD")


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu avx512f sse avx512_bf16", "avx512f, avx512_bf16"),
        ("amx_tile avx512vl", "amx_tile"),
        ("fpu", "none of avx512f, avx512_bf16, amx_tile, amx_bf16"),
    ],
)
def test_vector_instructions_are_those_of_the_kernels_flags(cpuinfo, flags, found):
    cpuinfo.write_text(f"model name\t: AMD EPYC\nflags\t\t: {flags}\n")
    assert measure.vectors() == found and measure.machine().startswith("AMD EPYC, ")


def test_rows_of_another_day_are_a_table_of_their_own():
    new = OLD | {"vectors": "avx512f", "date": "2026-12-01", "commit": "abc1234"}
    page = run.tables([OLD, new, OLD])
    assert page.count("| a | b | 1 | 2 | s | 0.50 | ≤ 1 | yes |") == 3
    assert [line for line in page.splitlines() if line.startswith("On ")] == [
        "On AMD EPYC; vector instructions, date, commit not recorded:",
        "On AMD EPYC; avx512f; 2026-12-01; commit abc1234:",
    ]


def test_the_page_is_that_of_what_was_measured():
    assert run.PAGE.read_text() == run.page(run.read())


def test_a_column_that_came_after_the_last_measurement_shows_as_not_measured():
    sizes = [{"jobs": 10_014, "dry_seconds": 23.36, "dry_mb": 414.2}]
    lines = scale.lines({"sizes": sizes, "plugin": False})
    assert "| 10,014 | 23.4 | 414 |" + " not measured |" * (len(scale.COLUMNS) - 3) in lines

"""What changed between two runs, by hand: intervals over replicates, verdicts, settings, arms."""

import subprocess
import sys

import pandas as pd
import pytest
from copies import ROOT
from small_report import COMPARISON, row
from small_runs import CLAIM, NUMBERS, write_run

from selfdoubt.report.runs import change_tables
from selfdoubt.report.runs.changes import changes, n_compared
from selfdoubt.report.runs.reading import read_run
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.changes import CHANGES_SCHEMA


@pytest.fixture
def first(tmp_path):
    return read_run(write_run(tmp_path / "first"))


def against(first, tmp_path, **changed) -> pd.DataFrame:
    """The changes to a second run."""
    return changes(first, read_run(write_run(tmp_path / "second", **changed)))


def moved(by: float, *replicates: int) -> list[dict]:
    """The numbers, with the accuracy of ce moved in some replicates."""
    return [
        line | ({"value": line["value"] + by} if own(line) and line["replicate"] in replicates else {})
        for line in NUMBERS
    ]


def own(line: dict) -> bool:
    return (line["name"], line["metric"]) == ("ce", "accuracy")


def test_equal_runs_have_no_change(first, tmp_path):
    assert against(first, tmp_path).empty and n_compared(first, first) == 6


@pytest.mark.parametrize(("by", "beyond"), [(0.04, False), (0.06, True)])
def test_a_number_is_beyond_where_the_intervals_over_replicates_have_nothing_in_common(first, tmp_path, by, beyond):
    """.91, .92, .93: t of 2 degrees of freedom is 4.303, so .92 ± 4.303 x .01 / √3 = .92 ± .02484."""
    [found] = against(first, tmp_path, metrics=moved(by, 1, 2, 3)).to_dict("records")
    assert (found["kind"], found["arm"], found["metric"], found["beyond"]) == ("number", "ce", "accuracy", beyond)
    assert (found["first"], found["second"]) == pytest.approx((0.92, 0.92 + by))
    assert (found["first_low"], found["first_high"]) == pytest.approx((0.92 - 0.02484, 0.92 + 0.02484), abs=1e-5)


def test_a_single_replicate_has_the_interval_of_its_images(first, tmp_path):
    ends = {"warning": None, "low": 0.8, "high": 0.9}
    one = read_run(write_run(tmp_path / "one", metrics=[row("ce", 1, "accuracy", 0.85) | ends]))
    near, far, unknown = (
        changes(one, read_run(write_run(tmp_path / name, metrics=[row("ce", 1, "accuracy", value) | ends | own])))
        for name, value, own in (
            ("near", 0.95, {"low": 0.89, "high": 0.99}),
            ("far", 0.95, {"low": 0.91, "high": 0.99}),
            ("unknown", 0.95, {"low": None, "high": None}),
        )
    )
    assert [near["beyond"][0], far["beyond"][0]] == [False, True] and pd.isna(unknown["beyond"][0])


def test_a_number_that_one_run_lacks_is_a_change_with_its_reason(first, tmp_path):
    gone = [line | {"value": None, "reason": "all are correct"} if own(line) else line for line in NUMBERS]
    [found] = against(first, tmp_path, metrics=gone).to_dict("records")
    assert found["second_text"] == "all are correct" and pd.isna(found["second"]) and pd.isna(found["beyond"])


def test_settings_that_differ_are_named_by_their_keys(first, tmp_path):
    datasets = {"toys": {"ood": ["digits"], "corruptions": None}}
    found = against(first, tmp_path, datasets=datasets, run="another", labels={})
    rows = {row["key"]: (row["first_text"], row["second_text"]) for row in found.to_dict("records")}
    assert rows["datasets.toys.corruptions.n_images"] == ("9", None)
    assert rows["datasets.toys.corruptions"] == (None, "null")
    assert {*found["kind"]} == {"setting"} and not {"run", "datasets.toys.ood"} & rows.keys()


def test_arms_in_one_run_alone(first, tmp_path):
    rows = [line for line in NUMBERS if line["name"] != "kd"] + [row("new", 1, "aurc", 0.1) | {"warning": None}]
    found = against(first, tmp_path, metrics=rows).query("kind == 'arm'").to_dict("records")
    assert [(each["arm"], each["first_text"], each["second_text"]) for each in found] == [
        ("kd", "there", None),
        ("new", None, "there"),
    ]


def test_verdicts_that_turned_or_are_of_one_run_alone(first, tmp_path):
    turned = CLAIM | {"verdict": "supported", "difference": -0.005, "low": -0.007, "high": -0.003}
    new = CLAIM | {"hypothesis": "new"}
    found = against(first, tmp_path, hypotheses=[turned, new]).query("kind == 'verdict'").to_dict("records")
    assert [(each["key"], each["first_text"], each["second_text"]) for each in found] == [
        ("kd-ranks-better", "inconclusive", "supported"),
        ("new", None, "inconclusive"),
    ]
    assert (found[0]["first"], found[0]["second_high"]) == (-0.004, -0.003) and pd.isna(found[1]["first"])


@pytest.mark.parametrize(("low", "high", "beyond"), [(0.0005, 0.004, False), (0.002, 0.004, True)])
def test_differences_between_arms_have_intervals_of_their_own(first, tmp_path, low, high, beyond):
    other = COMPARISON | {"difference": 0.003, "low": low, "high": high}  # the first: -.006 to .001
    [found] = against(first, tmp_path, comparisons=[other]).to_dict("records")
    assert (found["kind"], found["arm"], found["than"], found["beyond"]) == ("difference", "kd", "ce", beyond)


def test_tables_show_what_is_beyond_with_the_farthest_first(first, tmp_path):
    loss = {"ce": 0.5, "kd": 0.7}
    metrics = [line | {"value": line["value"] - loss[line["name"]]} for line in NUMBERS if line["metric"] == "accuracy"]
    second = read_run(write_run(tmp_path / "second", metrics=metrics))
    found = changes(first, second)
    [part] = change_tables.parts_of(found, first, second)
    assert [line[0] for line in part.rows] == ["KD & co_1", "CE"] and part.headings[-2:] == ["in first", "in second"]
    assert part.rows[1][-2:] == ["0.9200 [0.8952, 0.9448]", "0.4200 [0.3952, 0.4448]"]
    page = change_tables.html([part], change_tables.heading(found, first, second, 2))
    assert "KD &amp; co_1" in page and "of 2\u00a0numbers that both have 2 differ" in page


def test_the_command_prints_and_writes_a_table_and_a_page(tmp_path):
    one = write_run(tmp_path / "one")
    other = write_run(tmp_path / "other", metrics=moved(0.06, 1, 2, 3))
    command = [sys.executable, str(ROOT / "workflow_scripts/compare_runs.py")]
    run = subprocess.run([*command, one, other], capture_output=True, text=True, check=True)
    assert "Numbers beyond the intervals: 1" in run.stdout and "0.9800 [" in run.stdout
    folder = other / "against-one"
    rows = table_files.read_table(folder / "changes.parquet", CHANGES_SCHEMA).to_pylist()
    assert [each["beyond"] for each in rows] == [True] and len(pd.read_csv(folder / "changes.csv")) == 1
    assert "<h3>Numbers beyond the intervals: 1" in (folder / "index.html").read_text()
    fault = subprocess.run([*command, one, tmp_path / "gone"], capture_output=True, text=True, check=False)
    assert fault.returncode == 1 and fault.stderr.startswith("compare_runs: ") and fault.stderr.count("\n") == 1

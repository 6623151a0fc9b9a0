"""What is kept of a run by data set, in the place of what was kept before."""

import sys
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pytest
from copies import ROOT

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA

sys.path.insert(0, str(ROOT / "docs"))
import kept_tables
import mechanism
import undone

STUDY = SimpleNamespace(run="r")
BENCHMARK = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n" + "\t".join("1" * 10)


def write(folder, name: str, schema: pa.Schema, *rows: dict) -> None:
    table_files.write_rows(folder / f"{name}.parquet", [dict.fromkeys(schema.names) | row for row in rows], schema, {})


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of two data sets, of which the second has no table of information."""
    monkeypatch.setattr(kept_tables, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(kept_tables, "metrics_paths", lambda folder, study, dataset: [folder / f"{dataset}.parquet"])
    (tmp_path / "kept").mkdir()
    for dataset in ("one", "two"):
        metric = {"dataset": dataset, "name": "ce", "split": "test", "score": "msp", "metric": "aurc", "value": 0.1}
        write(tmp_path, dataset, kept_tables.METRICS_SCHEMA, metric)
        write(tmp_path / "contrasts", dataset, kept_tables.CONTRASTS_SCHEMA, {"dataset": dataset})
        write(tmp_path / "data" / dataset, "counts", kept_tables.COUNTS_SCHEMA, {})
        (tmp_path / "benchmarks/predict" / dataset).mkdir(parents=True)
        (tmp_path / "benchmarks/predict" / dataset / "ce.tsv").write_text(BENCHMARK)
    rows = [{"dataset": "one", "replicate": each, "difference": value} for each, value in ((1, -0.5), (None, -0.25))]
    write(tmp_path / "information", "one", INFORMATION_SCHEMA, *rows)
    return tmp_path


def test_what_gains_say_is_kept_where_the_run_has_it(run):
    for dataset in ("one", "two", "one"):
        kept_tables.keep_part(run, STUDY, dataset, "abc")
    found = table_files.read_table(run / "kept/r-information.parquet", INFORMATION_SCHEMA)
    assert found.equals(table_files.read_table(run / "information/one.parquet", INFORMATION_SCHEMA))
    assert sorted(kept_tables.kept(STUDY, "metrics")["dataset"]) == ["one", "two"]


def test_nothing_is_kept_of_gains_where_there_are_none(run):
    kept_tables.keep_part(run, STUDY, "two", "abc")
    assert not (run / "kept/r-information.parquet").exists() and (run / "kept/r-contrasts.parquet").exists()


def test_documents_have_what_their_commands_print(capsys):
    """Rows of tables that stand in a document, from kept tables, so that both stay together."""
    for run in ("distillation", "distillation-2"):
        mechanism.print_gaps(run)
    gaps = capsys.readouterr().out.splitlines()
    assert len(gaps) > 45 and set(gaps) <= set((ROOT / "docs/distillation.md").read_text().splitlines())
    undone.print_undone("enhancers", "ce", "ce/ace", ["ce/views-attacked"])
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 5 and set(rows) <= set((ROOT / "docs/enhancers.md").read_text().splitlines())


def test_the_gap_of_an_arm_is_to_the_ordering_that_has_its_errors_last(tmp_path, monkeypatch, capsys):
    """Of four images one is wrong: a perfect ordering has the AURC 1/4 · 1/4, as errors are accepted last."""
    rows = [{"metric": "accuracy", "score": "none", "value": 0.75}, {"metric": "aurc", "score": "msp", "value": 0.3125}]
    shared = {"dataset": "toys", "name": "ce", "variant": "clean", "replicate": 1, "split": "test", "n": 4}
    (tmp_path / "findings").mkdir()
    pd.DataFrame([shared | row for row in rows]).to_parquet(tmp_path / "findings/r-metrics.parquet")
    monkeypatch.setattr(mechanism, "DOCS", tmp_path)
    mechanism.print_gaps("r")
    assert capsys.readouterr().out.splitlines()[2] == "| toys | ce | 75.00 | 312.5 | 62.5 | 250.0 |"


def test_thirds_have_the_mean_of_their_deciles(capsys):
    row = {"dataset": "toys", "student": "kd", "reference": "ce"}
    errors = [row | {"quantity": "error", "decile": i, "value": i / 100} for i in range(1, 11)]
    sides = [
        row | {"quantity": f"confidence-{side}", "decile": i, "value": value}
        for side, value in (("correct", 0.1), ("incorrect", -0.2))
        for i in (7, 8, 9, 10)
    ]
    mechanism.print_thirds(pd.DataFrame(errors + sides))
    assert capsys.readouterr().out.splitlines()[-1] == "| toys | kd | +2.0 | +5.5 | +9.0 | +10.0 | -20.0 |"

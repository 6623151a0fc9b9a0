"""Sections of docs/findings.md that are written again from the tables that are kept of their runs."""

import re
import runpy
import shutil
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from copies import ROOT

from selfdoubt.evaluation.contrasts import Contrast
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder of kept tables and sections, and what docs/findings.py has."""
    findings = runpy.run_path(str(ROOT / "docs/findings.py"))
    monkeypatch.setattr(sys.modules["kept_tables"], "KEPT", tmp_path)
    monkeypatch.setitem(findings["write_again"].__globals__, "KEPT", tmp_path)
    monkeypatch.setitem(findings["write_section"].__globals__, "KEPT", tmp_path)

    def copy(run: str) -> dict:
        for path in (ROOT / "docs/findings").glob(f"{run}[.-]*"):
            shutil.copy(path, tmp_path)
        return findings

    return copy


def study_of(findings: dict, run: str):
    return findings["load_study"](findings["whole_config"](ROOT, f"studies/{run}.yaml"))


def without_commit(section: str) -> str:
    """Return a section without the commit of its registration, which a shallow clone does not have."""
    return re.sub(r"(?<=, in commit )[0-9a-f]+ of [0-9-]+", "COMMIT", section)


def test_tables_without_the_younger_columns_are_read_and_written_again_with_them(kept, tmp_path):
    path = tmp_path / "transform-steps-comparisons.parquet"
    findings = kept("transform-steps")
    rows = pq.read_table(path)
    pq.write_table(rows.drop_columns(["margin", "n_replicates_needed"]), path)
    found = findings["kept"](study_of(findings, "transform-steps"), "comparisons")
    assert [*found] == COMPARISONS_SCHEMA.names and found["margin"].isna().all()
    findings["write_again"]("transform-steps")
    assert pq.read_table(path).equals(rows)


def test_costs_that_are_not_kept_stand_in_the_section_that_is_written_again(kept, tmp_path):
    findings, path = kept("transform-steps"), tmp_path / "transform-steps.md"
    path.write_text("## `studies/transform-steps.yaml`\n\nfashion-mnist; 272 jobs.\n")
    findings["write_again"]("transform-steps")
    written = path.read_text()
    assert written.splitlines()[2] == "fashion-mnist; 272 jobs." and "| claim | verdict |" in written
    assert "this is look 3 of 3" in written and "0.01875" in written


def test_the_section_of_a_sequential_study_has_its_primary_claim_at_each_look(kept, tmp_path):
    kept("transform-steps")["write_again"]("transform-steps")
    [claim, _] = pd.read_parquet(tmp_path / "transform-steps-hypotheses.parquet").to_dict("records")
    _, _, table = (tmp_path / "transform-steps.md").read_text().partition("at each look:")
    rows = [re.split(r" \| ", line.strip("| ")) for line in table.splitlines() if line.startswith("|")][2:]
    assert [(row[0], row[-1][2:]) for row in rows] == [
        ("10", "inconclusive"),
        ("20", "inconclusive"),
        ("30", claim["verdict"]),
    ]
    assert [float(number) for number in rows[-1][2:4]] == pytest.approx([claim["p"], claim["p_negligible"]], rel=0.02)


def test_an_earlier_look_has_its_replicates_and_the_images_part_of_the_last():
    looks = runpy.run_path(str(ROOT / "docs/earlier_looks.py"))
    whole = Contrast((-0.3, 0.1, -0.2, 0.0, -0.1, 0.2), 0.05, 0.03, 50)
    row = {"standard_error": whole.error(), "degrees_of_freedom": whole.freedom()}
    last, first = (looks["at_look"](row, [*whole.differences], n) for n in (6, 3))
    assert (last.error(), last.freedom()) == pytest.approx((whole.error(), whole.freedom()))
    assert first.differences == whole.differences[:3]
    assert first.error() >= Contrast(whole.differences[:3], 0.05, 0.03, 50).error()


def test_a_section_whose_verdicts_would_change_is_not_written(kept, tmp_path):
    findings, path = kept("enhancers"), tmp_path / "enhancers-hypotheses.parquet"
    rows = pd.read_parquet(path)
    findings["write_again"]("enhancers")
    rows.loc[0, "verdict"] = "refuted"
    pq.write_table(pa.Table.from_pandas(rows, schema=HYPOTHESES_SCHEMA, preserve_index=False), path)
    with pytest.raises(SystemExit, match="enhancers: a verdict"):
        findings["write_again"]("enhancers")


def test_a_claim_about_a_ranking_has_the_parts_that_were_compared_in_no_claim():
    row = {"dataset": "d", "study": "s", "better": "kd", "than": "ce", "score": "msp", "split": "test", "p_holm": 0.5}
    rows = [{"metric": "aurc", "hypothesis": "h", "repeats": False, "ranking_part": None}]
    rows += [{"metric": "augrc", "hypothesis": None, "repeats": False, "ranking_part": 0.1}]
    rows += [{"metric": "augrc", "hypothesis": None, "repeats": False, "ranking_part": 0.2, "better": "cutmix"}]
    comparisons = pd.DataFrame([row | other for other in rows], columns=COMPARISONS_SCHEMA.names)
    claims = pd.DataFrame([{"hypothesis": "h", "metric": "aurc", "score": "msp", "split": "test"}])
    with_parts = runpy.run_path(str(ROOT / "docs/kept_tables.py"))["with_parts"]
    found = with_parts(comparisons, claims)
    *_, added = found.to_dict("records")
    assert len(found) == 4 and added["repeats"] and added["ranking_part"] == 0.1
    assert added["hypothesis"] == "h" and pd.isna(added["p_holm"])
    assert with_parts(found, claims).equals(found)
    assert len(with_parts(comparisons, claims.assign(metric="accuracy"))) == 3  # which has no parts
    assert len(with_parts(comparisons, claims.head(0))) == 3  # of a study without claims


def test_a_section_of_overlapping_draws_needs_the_counts_of_their_images(kept, tmp_path):
    findings = kept("mixing-2")
    written = without_commit((tmp_path / "mixing-2.md").read_text())
    findings["write_again"]("mixing-2")
    assert without_commit((tmp_path / "mixing-2.md").read_text()) == written
    (tmp_path / "mixing-2-counts.parquet").unlink()
    with pytest.raises(SystemExit, match="draws of fashion-scenes overlap"):
        findings["write_again"]("mixing-2")

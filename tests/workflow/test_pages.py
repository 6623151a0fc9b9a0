"""Pages for people that name places and commands of this project: the places are there, and the commands work."""

import re
import runpy
import subprocess
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest
from copies import ROOT

from selfdoubt.report.arms import Arms
from selfdoubt.settings.registry import FOLDERS, settings_of

LIBRARY = ROOT / "workflow_scripts/selfdoubt"


def test_the_places_of_extending_are_there():
    named = set(re.findall(r"`([^`]+)`", (ROOT / "docs/extending.md").read_text()))
    paths = {name for name in named if re.fullmatch(r"[\w/.-]+(/|\.(py|smk|md|yaml))", name) and "NAME" not in name}
    tops = (ROOT, ROOT / "workflow_scripts", LIBRARY)
    assert len(paths) > 15 and not {name for name in paths if not any((top / name).exists() for top in tops)}
    modules = {f"{folder.replace('.', '/')}/NAME.py" for folder in FOLDERS.values()}
    settings = {f"settings/{kind}/NAME.py" for kind in FOLDERS.keys() - {"corruptions"}}
    assert {name for name in named if "/NAME.py" in name} == modules | settings


def test_lists_of_paths_studies_and_figures_are_whole():
    patterns = re.findall(r'^[A-Z_]+ = f"\{RUN\}/([^"]*)', (ROOT / "rules/common.smk").read_text(), re.MULTILINE)
    tops = {pattern.partition("/")[0] for pattern in patterns}
    listed = (ROOT / "results/README.md").read_text()
    assert len(tops) > 10 and not {top for top in tops if f"`{top}" not in listed}
    studies, readme = sorted((ROOT / "studies").glob("*.yaml")), (ROOT / "README.md").read_text()
    assert studies and not [study.name for study in studies if f"`{study.name}`" not in readme]
    kinds, page = settings_of("figures", "kind"), (ROOT / "docs/report.md").read_text()
    assert kinds and not [kind for kind in kinds if f"`{kind}`" not in page]


def test_the_lines_for_a_paper_work(tmp_path):
    page = (ROOT / "results/README.md").read_text()
    lines = re.search(r"\n\n((?:    .+\n)+)\n`NaN`", page)[1].replace("    ", "")
    rows = [
        ("m", "clean", split, score, metric, value + replicate / 100)
        for split in ("val", "test")
        for replicate in (0, 2)
        for score, metric, value in (
            ("none", "accuracy", 0.5),
            ("msp", "auroc", 0.6),
            ("energy", "auroc", 0.1),
            ("msp", "aurc", 0.7),
        )
    ]
    (tmp_path / "results/default/tables").mkdir(parents=True)
    table = pd.DataFrame(rows, columns=["name", "variant", "split", "score", "metric", "value"])
    table.to_parquet(tmp_path / "results/default/tables/metrics.parquet")
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True)
    assert (tmp_path / "paper.csv").read_text().splitlines() == [
        "name,variant,accuracy,auroc,aurc",
        "m,clean,0.5100 ± 0.0141,0.6100 ± 0.0141,0.7100 ± 0.0141",
    ]


def test_findings_without_claims_are_a_table_of_arms():
    """One replicate has the interval over images, two have mean and deviation; what is not there stays empty."""
    known = {"dataset": "toys", "split": "test", "variant": "clean", "low": 0.01, "high": 0.03, "score": "msp"}
    rows = [known | {"name": "a", "metric": "aurc", "value": 0.02, "replicate": 1}]
    rows += [
        known | {"name": "b", "metric": "aurc", "value": value, "replicate": n} for n, value in ((1, 0.1), (2, 0.3))
    ]
    rows += [known | {"name": "a", "metric": "accuracy", "score": "none", "value": 0.9, "replicate": 1}]
    rows += [known | {"name": "a", "metric": "auroc", "value": None, "replicate": 1}]
    findings = runpy.run_path(str(ROOT / "docs/findings.py"))
    head, _, *lines = findings["described"](["a", "b"], pd.DataFrame(rows), Arms({"b": "B|b"}))
    assert "accuracy" in head and "AURC" in head and "AUROC" not in head
    assert [line.replace("\u00a0", " ") for line in lines] == [
        "| a | 0.9000 [0.0100, 0.0300] | 20.00 [10.00, 30.00] |",
        "| B\\|b |  | 200.00 ± 141.42 |",
    ]
    assert findings["described"](["a"], pd.DataFrame(rows)[4:], Arms()) == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs/findings").glob("*.md")), ids=lambda path: path.stem)
def test_a_section_of_findings_counts_the_replicates_of_its_table(path):
    n = pq.read_table(path.with_name(f"{path.stem}-metrics.parquet"))["replicate"].unique()
    [found] = re.findall(r"; (\d+)\sreplicates?;", path.read_text().splitlines()[2])
    assert int(found) == len(n)

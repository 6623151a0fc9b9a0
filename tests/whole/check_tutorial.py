"""The tutorial is followed: each of its files is written, and each of its commands run, in its order."""

import re
import subprocess
import sys

import pytest
from copies import ROOT, Copy, copy_repository, jobs_of, warm_jobs

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA

PAGE = ROOT / "docs/tutorial.md"
NOT_RUN = "make env"


def steps() -> list[tuple[str, str]]:
    """Kind (yaml or sh) and text of each block, commands one by one."""
    found = []
    for kind, text in re.findall(r"^```(yaml|sh)\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        found += [(kind, text)] if kind == "yaml" else [(kind, line) for line in text.splitlines()]
    return [step for step in found if not step[1].startswith(NOT_RUN)]


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> tuple[Copy, dict[str, str]]:
    """A copy in which the tutorial was followed, and what each command printed."""
    copy = copy_repository(tmp_path_factory.mktemp("tutorial") / "repository")
    (copy.folder / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    warm_jobs(copy)
    printed = {}
    for kind, text in steps():
        if kind == "yaml":
            (copy.folder / re.match(r"# (\S+)\n", text)[1]).write_text(text)
            continue
        program, *words = text.split()
        if program == "snakemake":
            run = copy.snakemake(*words)
        else:
            run = subprocess.run([sys.executable, *words], cwd=copy.folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, f"{text}\n{run.stdout[-3000:]}{run.stderr[-3000:]}"
        printed[text] = run.stdout + run.stderr
    return copy, printed


def test_the_tutorial_ends_with_a_verdict_on_its_claim(followed):
    copy, printed = followed
    rows = table_files.read_table(
        copy.folder / "results/wider/tables/hypotheses.parquet", HYPOTHESES_SCHEMA
    ).to_pylist()
    assert [(row["hypothesis"], row["n_replicates"]) for row in rows] == [("wide-ranks-better", 5)]
    [table] = [text for command, text in printed.items() if command.endswith("verdicts")]
    assert rows[0]["statement"] in table and rows[0]["verdict"] in table
    assert (copy.folder / "wider.registered.json").exists()


def test_a_figure_for_the_paper_is_drawn_again_and_nothing_else(followed):
    [text] = [text for command, text in followed[1].items() if command.endswith("paper.yaml")]
    assert set(jobs_of(text)) == {"plot_figure:risk-coverage", "render_report"}

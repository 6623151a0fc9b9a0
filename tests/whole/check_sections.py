"""A study of perfect predictions, whole and without each section that it can do without: it ends with a page."""

import pytest
import yaml
from copies import OF_TABLES, Copy, copy_repository, warm_jobs
from small_study import of_perfect_predictions, write_perfect_predictions

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA

RESULTS = "results/default"
WITHOUT = [  # claims are of a study
    ("studies", "hypotheses"),
    ("hypotheses",),
    ("comparisons",),
    ("figures",),
    ("studies", "hypotheses", "comparisons", "figures"),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Copy:
    """The whole study, run."""
    copy = copy_repository(tmp_path_factory.mktemp("sections") / "repository")
    warm_jobs(copy, OF_TABLES)
    copy.edit_config(of_perfect_predictions)
    write_perfect_predictions(copy.folder)
    run(copy)
    return copy


def run(copy: Copy, *arguments: str) -> str:
    """Run all that is to do; returns the page."""
    found = copy.snakemake(*arguments)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]
    return (copy.folder / RESULTS / "report/index.html").read_text()


def test_figures_that_have_nothing_to_show_state_it(copy):
    log = (copy.folder / RESULTS / "logs/plot_figure/auroc-accuracy.log").read_text()
    assert "nothing to show: no arm has both accuracy and AUROC" in log and "no incorrect samples" in log
    for suffix in ("svg", "pdf", "png"):
        assert (copy.folder / RESULTS / f"figures/auroc-accuracy.{suffix}").stat().st_size
    assert (copy.folder / RESULTS / "report/index.html").read_text().count('src="data:image/') == 3


def test_claims_that_lack_images_are_warned_of_in_log_table_and_page(copy):
    rows = table_files.read_table(copy.folder / RESULTS / "tables/hypotheses.parquet", HYPOTHESES_SCHEMA).to_pylist()
    assert [row["warning"] for row in rows] == ["0 incorrect images in test, fewer than 30"] * 2
    log = (copy.folder / RESULTS / "logs/test_hypotheses.log").read_text()
    assert "warning: ranks-better on toys: 0 incorrect images in test" in log
    page = (copy.folder / RESULTS / "report/index.html").read_text()
    assert "ranks-better on toys: 0 incorrect images in test" in page.partition('class="study')[0]


@pytest.mark.parametrize("sections", WITHOUT, ids="-".join)
def test_a_study_may_lack_sections(copy, sections):
    (copy.folder / "less.yaml").write_text(yaml.safe_dump(dict.fromkeys(sections)))
    page = run(copy, "--configfile", "less.yaml")
    assert ('class="study' in page) == ("studies" not in sections)
    assert page.count('src="data:image/') == (0 if "figures" in sections else 3)
    assert "All models" in page


def test_a_study_may_lack_groups(copy):
    less = {"groups": None, "protocols": None, "studies": {"distillation": {"arms": ["b"]}}}
    less["figures"] = {"risk-coverage": {"arms": ["a", "b"]}}
    (copy.folder / "less.yaml").write_text(yaml.safe_dump(less))
    assert "All models" in run(copy, "--configfile", "less.yaml")

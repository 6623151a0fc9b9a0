"""A whole study on a few real images: every stage runs, twice, and gives equal bytes."""

import html
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from copies import ROOT, Copy, jobs_of, warm_jobs
from small_study import digests, small_copy, tiny

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.comparisons import COMPARISONS_SCHEMA
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA
from selfdoubt.runtime.schemas.metrics import METRICS_SCHEMA


def run(copy: Copy, *arguments: str, **variables: str) -> Copy:
    """A study that ran; `copy.order` is how its jobs started."""
    run = copy.snakemake(*arguments, "--resources", "gpu=4", **variables)
    assert run.returncode == 0, run.stderr[-5000:]
    copy.order = jobs_of(run.stdout + run.stderr)
    return copy


@pytest.fixture(scope="module")
def studies(tmp_path_factory) -> tuple[Copy, Copy]:
    """The same study in two folders: with one core, and with two in random order; sets are in another order in each."""
    one, two = (small_copy(tmp_path_factory.mktemp(name) / "repository", tiny) for name in ("one", "two"))
    for hash_seed, copy in enumerate((one, two)):
        warm_jobs(copy, hash_seed=hash_seed)
    run(one, "--cores", "1", PYTHONHASHSEED="0")
    return one, run(two, "--cores", "2", "--scheduler-subsample", "2", PYTHONHASHSEED="1")


def test_two_runs_give_equal_bytes_whatever_the_folder_the_cores_and_the_order(studies):
    first, second = map(digests, studies)
    assert len(first) > 30
    assert first == second
    orders = [study.order for study in studies]
    assert sorted(orders[0]) == sorted(orders[1]) and len(orders[0]) == len(set(orders[0])) > 30
    assert orders[0] != orders[1]


def test_every_arm_has_its_numbers(studies):
    table = table_files.read_table(studies[0].folder / "results/default/tables/metrics.parquet", METRICS_SCHEMA)
    arms = set(zip(table["name"].to_pylist(), table["variant"].to_pylist(), strict=True))
    models = {(name, "clean") for name in ("teacher", "ce", "kd", "kd-no-labels", "mask-cutmix", "robust")}
    assert arms == models | {
        ("ce", "odin"),
        ("ce", "random-sign"),
        ("trio", "mean-probability"),
        ("trio", "persuasion"),
    }
    lacking = [row for row in table.to_pylist() if row["value"] is None and not row["reason"]]
    assert lacking == []


def test_every_hypothesis_has_a_verdict(studies):
    path = studies[0].folder / "results/default/tables/hypotheses.parquet"
    rows = table_files.read_table(path, HYPOTHESES_SCHEMA).to_pylist()
    config = yaml.safe_load((studies[0].folder / "config.yaml").read_text())
    assert {row["hypothesis"] for row in rows} == set(config["hypotheses"])
    assert {row["verdict"] for row in rows} <= {"identical", "inconclusive"}  # of one replicate


def test_the_page_shows_every_study_and_needs_no_network(studies):
    page = html.unescape((studies[0].folder / "results/default/report/index.html").read_text())
    config = yaml.safe_load((studies[0].folder / "config.yaml").read_text())
    assert all(study["question"] in page for study in config["studies"].values())
    without_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "default-src 'none'" in page and not re.search(r'(src|href)="(?!data:|#)', without_scripts)
    assert page.count('style="--width') == len(config["figures"]) and page.count('<li><img src="data:') >= 8


def test_the_page_of_findings_has_every_claim(studies):
    command = [sys.executable, str(ROOT / "docs/findings.py"), str(studies[0].folder)]
    page = subprocess.run(command, capture_output=True, text=True, check=True).stdout.replace("\u00a0", " ")
    config = yaml.safe_load((studies[0].folder / "config.yaml").read_text())
    for claim in config["hypotheses"].values():
        assert page.count(f"| {claim['statement']} | ") == 1
    assert "## The default study" in page and "1 replicate;" in page and " jobs, " in page


def test_a_part_of_a_run_counts_what_is_there(studies):
    command = [sys.executable, str(ROOT / "docs/findings.py"), str(studies[0].folder), "--part"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == "fashion-mnist-12k: 10 of 10 tables of metrics; compared\n"


def test_verdicts_from_the_tables_that_are_kept_of_each_data_set_are_those_of_the_run(studies):
    folder = studies[1].folder
    (folder / "docs").mkdir()
    for name in ("earlier_looks.py", "findings.py", "found.py", "kept_tables.py"):
        shutil.copy(ROOT / "docs" / name, folder / "docs" / name)
    shutil.copy(ROOT / "README.md", folder)
    for _ in range(2):  # the second time they take the place of equal ones
        subprocess.run([sys.executable, str(folder / "docs/findings.py"), str(folder), "--part", "--write"], check=True)
    kept, tables = folder / "docs/findings", folder / "results/default/tables"
    for name, schema in (("hypotheses", HYPOTHESES_SCHEMA), ("comparisons", COMPARISONS_SCHEMA)):
        found, expected = (
            table_files.read_table(path, schema)
            for path in (kept / f"default-{name}.parquet", tables / f"{name}.parquet")
        )
        assert len(found) and found.equals(expected)
    assert (folder / "docs/findings.md").read_text().count("| claim | verdict |") == 4
    shown = (folder / "README.md").read_text().partition("<!-- found -->")[2].partition("<!-- /found -->")[0]
    assert "its primary claim" in shown and "docs/findings.md" not in shown  # of the tests' study none is primary


def test_nothing_is_left_to_do(studies):
    assert studies[0].jobs() == set()


def test_a_truncated_checkpoint_is_refused_by_name(studies):
    folder = studies[1].folder
    path = folder / "results/default/checkpoints/fashion-mnist-12k/ce/replicate-1.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    (folder / "results/default/predictions/fashion-mnist-12k/ce/replicate-1/clean.parquet").unlink()
    run = studies[1].snakemake(
        "results/default/predictions/fashion-mnist-12k/ce/replicate-1/clean.parquet", "--cores", "1"
    )
    assert run.returncode == 1
    assert "replicate-1.safetensors: not a whole file of weights" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr

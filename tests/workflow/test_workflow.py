"""What reruns: edits of a finished copy are followed by a dry run, whose jobs are those of the table, exactly."""

import os
import re
import subprocess
import tarfile

import pytest
from copies import Copy
from edits import EDITS

TRIED = [edit for edits in EDITS.values() for edit in edits if edit.tried]
OF_CODE = EDITS["Code"]  # one by one in tests/whole/check_edits_of_code.py
LOUD = [edit for edit in TRIED if edit.jobs and edit not in OF_CODE]


@pytest.mark.parametrize("edit", LOUD, ids=[edit.name[:40] for edit in LOUD])
def test_an_edit_reruns_exactly_the_jobs_of_the_table(copy, edit):
    """Alone: what it reruns wrongly could be what another is expected to rerun."""
    edit.change(copy)
    found = copy.jobs()
    assert (found - edit.jobs, edit.jobs - found) == (set(), set())


def test_edits_that_rerun_nothing_rerun_nothing(copy):
    """All at once: each would add its jobs to the dry run."""
    quiet = [edit for edit in TRIED if not edit.jobs]
    for edit in quiet:
        edit.change(copy)
    assert len(quiet) > 10 and copy.jobs() == set()


def test_a_file_of_weights_trains_again_what_starts_from_it(copy):
    weights = copy.folder / "w.pth"
    weights.write_text("some")

    def change(config):
        config["networks"]["r"] = {"family": "timm", "name": "resnet18", "weights": "w.pth"}
        config["baselines"]["label-smoothing"]["network"] = "r"

    copy.edit_config(change)
    target = "results/default/checkpoints/fashion-mnist-12k/label-smoothing/replicate-1.safetensors"
    run = copy.snakemake(target, "--resources", "gpu=4")
    assert run.returncode == 0, run.stderr
    assert "Nothing to be done" in copy.snakemake("-n", target).stdout
    weights.write_text("more")
    assert "train_baseline" in copy.snakemake("-n", target).stdout
    weights.unlink()
    run = copy.snakemake("-n", target, "--quiet")
    assert run.returncode == 1
    assert "config: networks.r.weights: w.pth is missing; put the file there" in run.stderr + run.stdout


def test_a_wrong_key_ends_with_one_line(copy):
    copy.edit("config.yaml", "temperature: 4, alpha: 0.9", "temprature: 4, alpha: 0.9")
    run = copy.snakemake("-n", "--quiet")
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "workflow specific profile" not in line]
    assert run.returncode == 1 and len(lines) == 1
    assert lines[0].startswith("config: students.kd.loss.temprature: ") and "did you mean 'temperature'?" in lines[0]


def test_a_key_given_twice_in_a_study_ends_with_one_line(copy):
    (copy.folder / "own.yaml").write_text(
        "baselines: {ce: null}\nreplicates: [1]\nbaselines: {label-smoothing: null}\n"
    )
    run = copy.snakemake("-n", "--quiet", "--configfile", "own.yaml")
    assert run.returncode == 1
    output = [line for line in (run.stdout + run.stderr).splitlines() if "own.yaml: " in line]
    assert len(output) == 1 and output[0].startswith(f"{copy.folder}/own.yaml: baselines: ")
    assert "line 1" in output[0] and "line 3" in output[0] and "keep one" in output[0]


def test_a_missing_file_ends_with_one_line(copy):
    (copy.folder / "resources").unlink()
    (copy.folder / "resources/fashion-mnist-12k").mkdir(parents=True)
    run = copy.snakemake("-n", "--quiet")
    lines = [line for line in (run.stdout + run.stderr).splitlines() if "workflow specific profile" not in line]
    assert run.returncode == 1 and len(lines) == 1
    assert "resources/fashion-mnist-12k/train.parquet is missing" in lines[0]


# ---- Snakemake's own options, on a finished study ----


@pytest.mark.parametrize(
    ("option", "output"), [("--summary", "results/default/report/index.html"), ("--lint", "in a good condition")]
)
def test_an_option_works(finished, option, output):
    run = Copy(finished).snakemake(option)
    assert run.returncode == 0, run.stderr
    assert output in run.stdout + run.stderr


def test_the_engines_own_report_holds_our_page_the_tables_and_the_figures(finished, tmp_path):
    run = Copy(finished).snakemake("--report", str(tmp_path / "report.html"))
    assert run.returncode == 0, run.stderr
    page, made = (tmp_path / "report.html").read_text(), finished / "results/default"
    files = [made / "report/index.html", *made.glob("tables/*.parquet"), *made.glob("figures/*.svg")]
    assert len(files) > 10
    assert [file.name for file in files if f'"{file.relative_to(finished)}": {{"name"' not in page] == []


def test_every_rule_and_target_has_a_description(finished):
    lines = Copy(finished).snakemake("--list-rules").stdout.splitlines()
    described = dict(re.fullmatch(r"(\w+) \(([A-Z].*\.)\)", line).groups() for line in lines)
    text = "".join(path.read_text() for path in (finished / "Snakefile", *finished.glob("rules/*.smk")))
    assert set(described) == set(re.findall(r"^(?:use rule \w+ as|rule) (\w+)", text, re.MULTILINE))
    targets = {line.split()[0] for line in Copy(finished).snakemake("--list-target-rules").stdout.splitlines()}
    assert {"all", "report", "figures", "metrics", "models"} <= targets


CONDA = """#!/bin/sh
# Stands in for conda where no package is wanted.
case "$1" in
    --version) echo conda 99.0.0 ;;
    info) echo '{"conda_prefix": "/nowhere", "platform": "linux-64"}' ;;
    config) echo '{"get": {"channel_priority": "strict"}}' ;;
esac
"""


def test_an_archive_holds_what_git_knows_and_no_results(copy, tmp_path, monkeypatch):
    copy.own_resources()
    (copy.folder / ".gitignore").write_text("results/\n.snakemake/\n__pycache__/\n")
    for line in (["init"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--message", "all"]):
        subprocess.run(["git", *line], cwd=copy.folder, capture_output=True, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=copy.folder, capture_output=True, text=True, check=True).stdout
    (copy.folder / "rules/unknown.smk").touch()
    (tmp_path / "conda").write_text(CONDA)
    (tmp_path / "conda").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    run = copy.snakemake("--archive", "study.tar")
    assert run.returncode == 0, run.stderr
    with tarfile.open(copy.folder / "study.tar") as tar:
        names = {name for name in tar.getnames() if not name.startswith(".snakemake/conda-archive/")}
    assert "resources/fashion-mnist-12k/train.parquet" in names
    assert names == set(listed.splitlines())

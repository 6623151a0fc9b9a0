"""take_looks.py: look after look, until the primary claim is decided or there is no further look."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from copies import ROOT

from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.hypotheses import HYPOTHESES_SCHEMA

STUDY = {
    "run": "sequential",
    "replicates": {"from": 11, "looks": [10, 20, 30]},
    "datasets": {"fashion-mnist-12k": {"train_images_per_replicate": None}},
}
# Stands for Snakemake: makes the table of hypotheses at a look, and notes what it was given. It imports little.
FAKE = r"""#!{python} -IS
import re, shutil, sys
from pathlib import Path
given = [word for word in sys.argv[1:] if word.endswith(".yaml")]
look = int(re.search(r"distillation\W+(\d+)", Path(given[1]).read_text())[1]) if len(given) > 1 else 1
with open("calls", "a") as calls:
    print(look, *sys.argv[1:], file=calls)
if look == {fails}:
    sys.exit(1)
path = Path("results/sequential/tables/hypotheses.parquet")
path.parent.mkdir(parents=True, exist_ok=True)
shutil.copy("supported" if look >= {decided} else "inconclusive", path)
"""


def take_looks(folder: Path, decided: int, fails: int = 0, study=STUDY, *options: str) -> subprocess.CompletedProcess:
    """Run the command where Snakemake decides at a look, or fails at one."""
    (folder / "bin").mkdir(exist_ok=True)
    fake = folder / "bin/snakemake"
    fake.write_text(FAKE.format(python=sys.executable, decided=decided, fails=fails))
    row = dict.fromkeys(HYPOTHESES_SCHEMA.names)
    for verdict in ("supported", "inconclusive"):
        primary = {"study": "distillation", "hypothesis": "kd-ranks-better", "role": "primary", "verdict": verdict}
        other = {"study": "enhancers", "hypothesis": "other", "role": "secondary", "verdict": "inconclusive"}
        table_files.write_rows(folder / verdict, [row | primary, row | other], HYPOTHESES_SCHEMA)
    fake.chmod(0o755)
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    command = [sys.executable, ROOT / "workflow_scripts/take_looks.py", "study.yaml", *options]
    environment = os.environ | {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def looks_of(folder: Path) -> list[str]:
    return [line.partition(" ")[0] for line in (folder / "calls").read_text().splitlines()]


@pytest.mark.parametrize(("decided", "looks"), [(2, ["1", "2"]), (9, ["1", "2", "3"])])
def test_a_study_goes_on_while_its_primary_claim_is_inconclusive(tmp_path, decided, looks):
    done = take_looks(tmp_path, decided, 0, STUDY, "--resources", "gpu=4")
    assert done.returncode == 0, done.stderr
    assert looks_of(tmp_path) == looks
    numbers = [f"distillation, {n} replicates: kd-ranks-better" for n in (10, 20, 30)][: len(looks)]
    assert [line.rpartition(" ")[0] for line in done.stdout.splitlines()] == numbers
    assert "mask-cutmix: it has no primary claim" in done.stderr and "distillation: it has" not in done.stderr
    assert all("--resources gpu=4" in line for line in (tmp_path / "calls").read_text().splitlines())


def test_values_of_the_command_line_belong_to_the_study(tmp_path):
    study = STUDY | {"datasets": {"fashion-mnist-12k": {"source": "folder:{data_folder}/pictures"}}}
    without = take_looks(tmp_path, 1, 0, study)
    assert without.returncode == 1 and "data_folder is not set" in without.stderr
    done = take_looks(tmp_path, 1, 0, study, "--config", f"data_folder={tmp_path}", "--resources", "gpu=4")
    assert done.returncode == 0, done.stderr
    [call] = (tmp_path / "calls").read_text().splitlines()
    assert f"--config data_folder={tmp_path} --resources gpu=4" in call
    wrong = take_looks(tmp_path, 1, 0, study, "--config", "data_folder")
    assert wrong.returncode == 1 and len(wrong.stderr.splitlines()) == 1 and "--config" in wrong.stderr


@pytest.mark.parametrize("option", [["--configfile", "other.yaml"], ["--directory=elsewhere"], ["-d", "elsewhere"]])
def test_options_that_would_be_of_another_study_are_refused(tmp_path, option):
    done = take_looks(tmp_path, 1, 0, STUDY, *option)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "leave it out" in done.stderr
    assert not (tmp_path / "calls").exists()


def test_after_a_failure_it_goes_on_where_it_was(tmp_path):
    failed = take_looks(tmp_path, 3, fails=2)
    assert failed.returncode == 1 and "Traceback" not in failed.stderr and "call this again" in failed.stderr
    assert take_looks(tmp_path, 3).returncode == 0
    assert looks_of(tmp_path) == ["1", "2", "2", "3"]


@pytest.mark.parametrize("content", ["", "look: 3", "look: {distillation: 2}\nrun: other", "a: ["])
def test_a_file_that_is_none_of_looks_is_refused_before_any_run(tmp_path, content):
    overlay = tmp_path / "results/sequential/looks.yaml"
    overlay.parent.mkdir(parents=True)
    overlay.write_text(content, errors="surrogateescape")
    done = take_looks(tmp_path, 1)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "is no file of looks" in done.stderr
    assert not (tmp_path / "calls").exists()


def test_looks_of_other_claims_are_not_taken_over(tmp_path):
    assert take_looks(tmp_path, 2).returncode == 0
    changed = STUDY | {"hypotheses": {"kd-ranks-better": {"margin": 0.5}}}
    done = take_looks(tmp_path, 2, 0, changed)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "other claims, arms" in done.stderr
    shown = STUDY | {"studies": {"distillation": {"title": "What is only shown"}}}
    assert take_looks(tmp_path, 2, 0, shown).returncode == 0
    (tmp_path / "results/sequential/looks.yaml").write_text("look: {distillation: 2}\n")  # of an earlier version
    assert "delete it" in take_looks(tmp_path, 2).stderr


def test_a_study_without_looks_is_refused_in_one_line(tmp_path):
    done = take_looks(tmp_path, 1, 0, STUDY | {"replicates": {"from": 11, "n": 10}})
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "has no looks" in done.stderr


@pytest.mark.parametrize("file", ["none.yaml", "list.yaml", "broken.yaml", "bytes.yaml"])
def test_a_file_that_is_no_study_is_refused_in_one_line(tmp_path, file):
    (tmp_path / "list.yaml").write_text("- a\n")
    (tmp_path / "broken.yaml").write_text("a: [\n")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\xff")
    command = [sys.executable, ROOT / "workflow_scripts/take_looks.py", file]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and file in done.stderr

"""A study from wherever it is called, and two of them side by side in one folder."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from copies import ROOT, Copy, copy_repository, fake_jobs, warm_jobs
from small_study import small_copy, smallest, tiny

DATA = "data/fashion-mnist-12k"
MODULE = """
configfile: "{0}/config.yaml"
module selfdoubt:
    snakefile: "{0}/Snakefile"
    config: config
use rule * from selfdoubt
onstart:
    selfdoubt.start_run()
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A copy of the repository, in a folder with a space, whose jobs are fakes wherever it is called from."""
    copy = copy_repository(tmp_path_factory.mktemp("elsewhere") / "the repository")
    fake_jobs(copy)
    copy.edit_config(tiny_of_all)
    return copy.folder


def tiny_of_all(config: dict) -> None:
    tiny(config)["datasets"]["fashion-mnist-12k"]["source"] = "embedded:fashion-mnist-12k"


def test_a_study_runs_from_elsewhere_and_beside_others(tmp_path):
    """Three runs into one folder, called in three ways, the last two at once; every job is real."""
    copy, place = small_copy(tmp_path / "the repository", smallest), tmp_path / "results of it"
    warm_jobs(copy)
    checkout = copy.folder
    place.mkdir()
    (place / "Snakefile").write_text(MODULE.format(checkout))
    profile = ["--workflow-profile", str(checkout / "profiles/default")]
    ways = {
        "directory": (tmp_path, ["-s", "the repository/Snakefile", "--directory", str(place)]),
        "snakefile": (place, ["-s", "../the repository/Snakefile"]),
        "module": (place, profile),
    }
    first = start(*ways["directory"], "directory")
    finish(first)
    before = everything(place / "results/directory")
    for engine in [start(*ways[run], run) for run in ("snakefile", "module")]:
        finish(engine)
    assert everything(place / "results/directory") == before
    assert not (checkout / "results").exists()
    tables = [made(place / "results" / run) for run in ways]
    assert tables[0] == tables[1] == tables[2] and len(tables[0]) > 10
    for run in ways:
        assert "lower AURC" in (place / f"results/{run}/report/index.html").read_text()
        links = [path.resolve() for path in (place / f"results/{run}/{DATA}").glob("*.safetensors")]
        assert len(links) == 3 and {link.parent.parent for link in links} == {place / "results/data"}
    assert len([*(place / "results/data").iterdir()]) == 1  # prepared once
    for run, (where, how) in ways.items():
        again = Copy(where).snakemake("-n", *how, "--config", f"run={run}")
        assert "Nothing to be done" in again.stdout, again.stderr


def start(place: Path, how: list[str], run: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *how, "--config", f"run={run}"]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(engine: subprocess.Popen) -> None:
    output = engine.communicate()[0]
    assert engine.returncode == 0, output


def everything(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.lstat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def made(folder: Path) -> dict[str, str]:
    """The digest of every table, checkpoint and figure of a run."""
    paths = [path for path in folder.rglob("*") if path.suffix in (".parquet", ".safetensors", ".svg")]
    own = [path for path in paths if path.name != "costs.parquet"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in own}


def test_a_checkout_may_be_moved(checkout, tmp_path):
    for name in ("before", "after"):
        shutil.copytree(checkout, tmp_path / name, symlinks=True)
    place = tmp_path / "results of it"
    place.mkdir()
    assert Copy(place).snakemake("-s", "../before/Snakefile").returncode == 0
    shutil.rmtree(tmp_path / "before")
    assert "Nothing to be done" in Copy(place).snakemake("-n", "-s", "../after/Snakefile").stdout


def test_every_script_starts_from_any_folder(tmp_path):
    script = ROOT / "workflow_scripts/watch.py"
    run = subprocess.run([sys.executable, script, "--once"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


# ---- side by side ----


def test_two_runs_at_once_prepare_their_data_once(tmp_path):
    copy = small_copy(tmp_path / "repository", tiny)
    warm_jobs(copy)
    names = ("train.safetensors", "counts.parquet", "corrupted/contrast.safetensors", "ood/digits.safetensors")
    engines = {}
    for run in ("one", "two"):
        targets = [f"results/{run}/{DATA}/{name}" for name in names]
        engines[run] = start(copy.folder, targets, run)
    for engine in engines.values():
        finish(engine)
    for name in names:
        one, two = (copy.folder / f"results/{run}/{DATA}/{name}" for run in engines)
        if name == "counts.parquet":  # the run's own, for its page
            assert not one.is_symlink() and one.read_bytes() == two.read_bytes()
        else:
            assert one.is_symlink() and one.resolve() == two.resolve()
    entries = [path.name for path in (copy.folder / "results/data").iterdir()]
    assert len(entries) == 3 and not any(name.startswith(".") for name in entries)
    shutil.rmtree(copy.folder / "results/one")
    again = copy.snakemake("-n", f"results/two/{DATA}/{names[2]}", "--config", "run=two")
    assert "Nothing to be done" in again.stdout, again.stderr


def test_jobs_inherit_nothing_by_which_python_would_hide_the_library(tmp_path):
    copy = copy_repository(tmp_path / "repository")
    fake_jobs(copy)
    fake = copy.folder / "fakes/python"
    fake.write_text(fake.read_text().replace("#!/bin/sh", f"#!/bin/sh\nenv >> {tmp_path}/env", 1))
    target = "results/default/data/fashion-mnist-12k/test.safetensors"
    set_by_hand = {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "module://none", "PYTHONPATH": "/x"}
    run = copy.snakemake("--", target, **set_by_hand)
    assert run.returncode == 0, run.stderr
    inherited = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    assert set_by_hand.keys() & inherited == {"PYTHONPATH"}


def test_a_run_writes_down_which_jobs_it_will_run(tmp_path):
    copy = copy_repository(tmp_path / "repository")
    fake_jobs(copy)
    plan = copy.folder / "results/default/benchmarks/planned.txt"
    target = "results/default/checkpoints/fashion-mnist-12k/ce/replicate-1.safetensors"
    assert copy.snakemake("-n", target).returncode == 0 and not plan.exists()
    run = copy.snakemake(target)
    assert run.returncode == 0, run.stderr
    jobs = ["prepare_dataset/fashion-mnist-12k", "train_baseline/fashion-mnist-12k/ce/replicate-1"]
    assert plan.read_text().split() == jobs
    assert all((plan.parent / f"{job}.tsv").stat().st_mtime > plan.stat().st_mtime for job in jobs)

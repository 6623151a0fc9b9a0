"""A study from wherever it is called, and two of them side by side in one folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from copies import ROOT, Copy, copy_repository, fake_jobs
from small_study import small_copy, tiny

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
    copy.edit("rules/common.smk", '"fakes"', 'str(WORKFLOW / "fakes")')
    copy.edit_config(tiny_of_all)
    return copy.folder


def tiny_of_all(config: dict) -> None:
    tiny(config)["datasets"]["fashion-mnist-12k"]["source"] = "embedded:fashion-mnist-12k"


def options(way: str, checkout: Path, folder: Path) -> tuple[Path, list[str]]:
    """Where Snakemake is called, and how, for results in a folder."""
    if way == "directory":
        return checkout, ["--directory", str(folder)]
    if way == "snakefile":
        return folder, ["-s", os.path.relpath(checkout / "Snakefile", folder)]
    (folder / "Snakefile").write_text(MODULE.format(checkout))
    return folder, ["--workflow-profile", str(checkout / "profiles/default")]


@pytest.mark.parametrize("way", ["directory", "snakefile", "module"])
def test_a_study_runs_from_elsewhere(checkout, tmp_path, way):
    place, how = options(way, checkout, tmp_path)
    run = Copy(place).snakemake(*how)
    assert run.returncode == 0, run.stderr
    assert {path.name for path in tmp_path.iterdir()} - {"Snakefile"} == {"results", ".snakemake"}
    assert (tmp_path / "results/default/report/index.html").exists()
    assert (tmp_path / ".snakemake/default.lock").exists()
    assert not (checkout / "results").exists()
    assert "Nothing to be done" in Copy(place).snakemake("-n", *how).stdout


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


def start(copy: Copy, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return subprocess.Popen(command, cwd=copy.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def everything(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("at_once", [False, True], ids=["one after the other", "at once"])
def test_two_runs_keep_their_results(checkout, tmp_path, at_once):
    shutil.copytree(checkout, tmp_path / "repository", symlinks=True)
    copy = Copy(tmp_path / "repository")
    runs = ("one", "two")
    if at_once:
        engines = [start(copy, "--config", f"run={run}") for run in runs]
        said = [engine.communicate()[0] for engine in engines]
        assert [engine.returncode for engine in engines] == [0, 0], said
    else:
        assert copy.snakemake("--config", "run=one").returncode == 0
        first = everything(copy.folder / "results/one")
        assert copy.snakemake("--config", "run=two", "seed=1").returncode == 1  # a wrong key, which touches nothing
        assert copy.snakemake("--config", "run=two").returncode == 0
        assert everything(copy.folder / "results/one") == first
    one, two = (set(everything(copy.folder / "results" / run)) for run in runs)
    assert one == two and "report/index.html" in one
    for run in runs:
        assert "Nothing to be done" in copy.snakemake("-n", "--config", f"run={run}").stdout


def test_two_runs_at_once_prepare_their_data_once(tmp_path):
    copy = small_copy(tmp_path / "repository", tiny)
    names = ("train.safetensors", "counts.parquet", "corrupted/contrast.safetensors", "ood/digits.safetensors")
    engines = {}
    for run in ("one", "two"):
        targets = [f"results/{run}/{DATA}/{name}" for name in names]
        engines[run] = start(copy, *targets, "--config", f"run={run}")
    for engine in engines.values():
        said = engine.communicate()[0]
        assert engine.returncode == 0, said
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

"""The locks, pyproject.toml and the conda files name the same versions."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {  # packages, at least
    "requirements.lock": 51,
    "slurm.lock": 2,
    "browser.lock": 1,
    "storage.lock": 20,
    "crate.lock": 20,
}
APART = {"storage.lock", "crate.lock"}  # of an environment of its own, which may have other versions


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wanted(lock: str) -> dict[str, str]:
    """The versions that pyproject.toml asks of a lock."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = settings["project"]
    of = {"requirements.lock": [*project["dependencies"], *project["optional-dependencies"]["dev"]]}
    of |= {f"{name}.lock": group for name, group in settings["dependency-groups"].items()}
    return dict(item.split("==") for item in of[lock])


def locked(lock: str) -> list[tuple[str, str]]:
    """The name and version of each package in a lock."""
    return re.findall(r"^([a-z0-9-]+)==([^\s\\;]+)", (ROOT / "envs" / lock).read_text(), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_what_pyproject_asks_for(lock):
    assert wanted(lock) and wanted(lock).items() <= set(locked(lock))


@pytest.mark.parametrize(("lock", "at_least"), LOCKS.items())
def test_every_locked_package_has_a_hash(lock, at_least):
    entries = re.split(r"\n(?=[a-z0-9-]+==)", (ROOT / "envs" / lock).read_text())[1:]
    assert len(entries) >= at_least
    assert all("--hash=sha256:" in entry for entry in entries)


def test_no_package_of_an_environment_is_in_two_locks():
    names = [name for lock in LOCKS.keys() - APART for name in {name for name, _ in locked(lock)}]
    assert len(names) == len(set(names))


def test_the_conda_files_are_those_of_the_lock():
    written = load(ROOT / "envs/write_conda_files.py").conda_files()
    assert {name: (ROOT / "envs" / name).read_text() for name in written} == written
    assert "torch==2.14.1" in written["models.yaml"] and "torch" not in written["tables.yaml"]


def test_the_rule_graph_in_the_readme_is_that_of_the_rules():
    module = load(ROOT / "docs/rulegraph.py")
    assert module.in_readme() == module.rulegraph()
    assert module.reduced({("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("b", "e")}) == {
        ("a", "b"),
        ("b", "c"),
        ("c", "d"),
        ("b", "e"),
    }


def test_what_was_found_in_the_readme_is_that_of_the_tables():
    module = load(ROOT / "docs/found.py")
    assert module.in_readme() == module.found() and module.found().count("\n") > 5


def test_the_page_of_reruns_is_that_of_the_table():
    module = load(ROOT / "docs/invalidation.py")
    assert module.PAGE.read_text() == module.page()
    assert sum(map(len, module.EDITS.values())) >= 30

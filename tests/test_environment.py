"""The lock, pyproject.toml and the conda files name the same versions."""

import importlib.util
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def load(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_holds_what_pyproject_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = dict(item.split("==") for item in [*project["dependencies"], *project["optional-dependencies"]["dev"]])
    lock = (ROOT / "envs/requirements.lock").read_text()
    found = re.findall(r"^([a-z0-9-]+)==([^\s\\;]+)", lock, re.MULTILINE)
    assert wanted and wanted.items() <= set(found)


def test_every_locked_package_has_a_hash():
    lock = (ROOT / "envs/requirements.lock").read_text()
    entries = re.split(r"\n(?=[a-z0-9-]+==)", lock)[1:]
    assert len(entries) > 50
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_conda_files_are_those_of_the_lock():
    written = load(ROOT / "envs/write_conda_files.py").conda_files()
    assert {name: (ROOT / "envs" / name).read_text() for name in written} == written
    assert "torch==2.14.1" in written["models.yaml"] and "torch" not in written["tables.yaml"]


def test_the_rule_graph_in_the_readme_is_that_of_the_rules():
    module = load(ROOT / "docs/rulegraph.py")
    assert module.in_readme() == module.rulegraph()

"""Shared by the tests: the config of their study, and a finished copy of the repository."""

from pathlib import Path

import pytest
from copies import STUDY, Copy, copy_of, copy_repository, fake_jobs, read_yaml

LONG = ("test_workflow", "test_studies", "test_faults", "test_distributed")
LONG += ("check_photographs", "check_own_data", "check_tutorial", "check_study")
LONG += ("check_edits_of_code", "check_looks", "check_forked_jobs", "check_runs")


def pytest_collection_modifyitems(items):
    """Longest files first, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.fixture
def config() -> dict:
    """The config of the tests' study, but for the model that is fine-tuned from another."""
    return {key: entry for key, entry in read_yaml(STUDY).items() if key != "robust"}


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """A copy of the repository in which every job of the tests' study has run, as a fake."""
    folder = tmp_path_factory.mktemp("finished") / "repository"
    copy = copy_repository(folder)
    fake_jobs(copy)
    run = copy.snakemake("--resources", "gpu=4")
    assert run.returncode == 0, run.stderr
    return folder


@pytest.fixture
def copy(finished, tmp_path) -> Copy:
    """A finished copy of one's own."""
    return copy_of(finished, tmp_path / "repository")

"""Params as Snakemake compares them: as before for every value, and of texts without an import of pandas."""

import runpy
import subprocess
import sys

import pandas as pd
import pytest
from copies import ROOT
from snakemake.persistence import UNREPRESENTABLE, PersistenceBase
from snakemake.persistence.file import FilePersistence

PATCH = str(ROOT / "rules/functions/params.smk")
BARE = f"""
import runpy, sys
from snakemake.persistence.file import FilePersistence
runpy.run_path({PATCH!r})
assert object.__new__(FilePersistence)._serialize_param("text") == "'text'"
sys.exit("pandas" in sys.modules)
"""


@pytest.fixture
def serialize(monkeypatch):
    """Return Snakemake's way of writing a param, and ours."""
    before, persistence = PersistenceBase._serialize_param_pandas, object.__new__(FilePersistence)
    monkeypatch.setattr(PersistenceBase, "_serialize_param_pandas", before)
    runpy.run_path(PATCH)
    return lambda value: before(persistence, value), persistence._serialize_param


@pytest.mark.parametrize("value", ["text", 1, [1, "a"], pd.DataFrame({"a": [1, 2]}), pd.Series([1.5]), pd.Index([3])])
def test_values_are_written_as_by_snakemake(serialize, value):
    theirs, ours = serialize
    assert ours(value) == theirs(value) != UNREPRESENTABLE


def test_texts_need_no_pandas():
    assert subprocess.run([sys.executable, "-c", BARE], check=False).returncode == 0

"""A benchmark that runs Snakemake itself."""

import sys

import pytest
from copies import ROOT

sys.path.append(str(ROOT / "benchmarks"))

import same_graph
import scale


def test_a_bare_snakefile_that_is_finished_has_nothing_to_do(tmp_path):
    (tmp_path / "Snakefile").write_text(scale.BARE.format(n=2))
    same_graph.finish(tmp_path)
    assert scale.nothing_to_do(tmp_path)[0] > 0
    (tmp_path / "b/1").touch()
    with pytest.raises(SystemExit, match="found work to do"):
        scale.nothing_to_do(tmp_path)

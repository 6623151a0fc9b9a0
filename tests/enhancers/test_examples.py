"""Images before and after an enhancer survive a file."""

import numpy as np
import pytest

from selfdoubt.enhancers import examples
from selfdoubt.runtime.errors import UserError

DRAWS = np.random.default_rng(0)
KEPT = {
    "clean": DRAWS.random((2, 1, 4, 4)).astype(np.float32),
    "enhanced": DRAWS.random((2, 1, 4, 4)).astype(np.float32),
    "clean_confidence": np.array([0.5, 0.75], np.float32),
    "enhanced_confidence": np.array([0.625, 0.875], np.float32),
    "epsilon_255": np.array(0.5),
}


def test_examples_survive_a_file(tmp_path):
    examples.write(tmp_path / "a.safetensors", KEPT)
    read = examples.read(tmp_path / "a.safetensors")
    assert read.keys() == KEPT.keys()
    assert type(read["epsilon_255"]) is float and read["epsilon_255"] == 0.5
    for name in KEPT.keys() - {"epsilon_255"}:
        assert read[name].dtype == np.float32
        np.testing.assert_array_equal(read[name], KEPT[name])


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_a_truncated_file_is_named(tmp_path, kept):
    path = tmp_path / "a.safetensors"
    examples.write(path, KEPT)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match=r"a\.safetensors: .*delete it and run again"):
        examples.read(path)

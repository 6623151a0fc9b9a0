"""Files of weights are read whole, or refused in one line; nothing but tensors is ever unpickled."""

import argparse
import hashlib
import pickle
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from selfdoubt.models import weight_files
from selfdoubt.runtime.errors import UserError

STATE = {"a.weight": torch.arange(6.0).view(2, 3), "b": torch.tensor(1)}
OPTIMIZER = {"state": {0: {"exp_avg": torch.ones(2, 2)}}}
OTHER = {name: tensor + 1 for name, tensor in STATE.items()}


def fault(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        weight_files.read(path)
    assert "\n" not in str(caught.value) and str(caught.value).startswith(f"{path}: ")
    return str(caught.value).removeprefix(f"{path}: ")


def written(folder: Path, content) -> Path:
    torch.save(content, folder / "a.pth")
    return folder / "a.pth"


def prefixed(state: dict, prefix: str = "module.") -> dict:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


def same(found: dict) -> bool:
    return found.keys() == STATE.keys() and all(torch.equal(found[name], STATE[name]) for name in STATE)


WRAPPERS = ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "net.", "model.module."]
KEYS = ["state_dict", "model", "model_state_dict", "net", "ema", "my_own"]


def below(places: str, state: dict) -> dict:
    for place in reversed(places.split(".")):
        state = {
            place: state,
            "epoch": 3,
            "best": torch.tensor(0.9),
            "optimizer": OPTIMIZER,
        }
    return state


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".th", ".pth.tar"])
@pytest.mark.parametrize("key", [None, *KEYS, "checkpoint.model"])
def test_a_state_dict_is_found_where_programs_put_it(tmp_path, key, suffix):
    torch.save(STATE if key is None else below(key, STATE), tmp_path / f"a{suffix}")
    assert same(weight_files.read(tmp_path / f"a{suffix}"))


@pytest.mark.parametrize("prefix", WRAPPERS)
@pytest.mark.parametrize("key", ["", "state_dict"])
def test_what_wrappers_put_before_names_is_stripped_and_logged(tmp_path, capsys, prefix, key):
    state = prefixed(STATE, prefix)
    assert same(weight_files.read(written(tmp_path, below(key, state) if key else state)))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path / 'a.pth'}: ") and f"'{prefix}'" in line and (not key or f"'{key}'" in line)


def test_parts_that_were_compiled_and_averaged_models(tmp_path):
    averaged = {"n_averaged": torch.tensor(7), **prefixed(STATE)}
    assert same(weight_files.read(written(tmp_path, averaged)))
    assert same(weight_files.read(written(tmp_path, {"ema": averaged, "model": prefixed(OTHER)})))
    inner = {"a._orig_mod.weight": STATE["a.weight"], "b": STATE["b"]}
    assert same(weight_files.read(written(tmp_path, inner)))


@pytest.mark.parametrize("average", ["state_dict_ema", "model_ema", "ema"])
def test_the_average_is_taken_logged_and_may_be_set(tmp_path, capsys, average):
    path = written(tmp_path, {"state_dict": OTHER, average: STATE})
    assert same(weight_files.read(path))
    line = capsys.readouterr().out
    assert f"takes '{average}'" in line and "'state_dict'" in line and "weights_key" in line
    assert torch.equal(weight_files.read(path, "state_dict")["a.weight"], OTHER["a.weight"])
    assert not capsys.readouterr().out  # the config states it


def test_a_key_may_go_on_into_the_names(tmp_path):
    both = prefixed(STATE, "ema_model.") | prefixed(OTHER, "online_model.") | {"step": torch.tensor(1)}
    for content, above in ((both, ""), ({"checkpoint": {"x": both}}, "checkpoint.x.")):
        assert same(weight_files.read(written(tmp_path, content), f"{above}ema_model"))
        with pytest.raises(UserError, match="has no state dict 'emma'; weights_key may be"):
            weight_files.read(tmp_path / "a.pth", "emma")


def test_several_state_dicts_of_no_usual_key_are_named(tmp_path):
    assert "'one', 'two'" in fault(written(tmp_path, {"one": STATE, "two": OTHER}))


def test_dicts_that_hold_themselves(tmp_path):
    content = {"state_dict": STATE}
    content["more"] = content
    assert same(weight_files.read(written(tmp_path, content)))


def test_pickles_of_older_versions_are_read(tmp_path):
    torch.save(STATE, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    assert same(weight_files.read(tmp_path / "a.pth"))


def test_safetensors(tmp_path):
    save_file(prefixed(STATE), tmp_path / "a.safetensors")
    assert same(weight_files.read(tmp_path / "a.safetensors"))


def test_a_prefix_of_some_names_is_part_of_them(tmp_path):
    state = {**prefixed(STATE), "other": torch.zeros(1)}
    assert weight_files.read(written(tmp_path, state)).keys() == state.keys()


def test_a_missing_file_and_one_of_another_kind(tmp_path):
    assert fault(tmp_path / "a.pth").startswith("no such file")
    (tmp_path / "a.bin").touch()
    assert re.match(r"weights are read from files that end in .*\.safetensors.*\.pth", fault(tmp_path / "a.bin"))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_truncated_file(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    torch.save(STATE, path) if suffix == ".pth" else save_file(STATE, path)
    content = path.read_bytes()
    for fraction in (0, 0.001, 0.3, 0.9, 0.999):
        path.write_bytes(content[: int(fraction * len(content))])
        assert fault(path).startswith(f"not a whole {suffix} file")


def test_a_damaged_tensor(tmp_path):
    path = written(tmp_path, STATE)
    content = bytearray(path.read_bytes())
    content[content.index(STATE["a.weight"].numpy().tobytes()) + 5] ^= 1
    path.write_bytes(content)
    assert "the checksum of a/data/0 is wrong" in fault(path)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_what_is_no_file_of_tensors(tmp_path):
    (tmp_path / "a.pth").write_bytes(b"<html>not found</html>" * 50)
    assert fault(tmp_path / "a.pth").startswith("not a whole .pth file of tensors")
    for content in ([1, 2], {}, {"epoch": 3}, {"model": {"a": 1.0}}, {1: torch.zeros(1)}):
        assert "expected a state dict" in fault(written(tmp_path, content))


class Program:
    """A pickle that writes a file when it is opened."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("by", ["torch", "older-torch", "pickle"])
def test_a_program_in_a_pickle_does_not_run(tmp_path, by):
    path, trace = tmp_path / "a.pth", tmp_path / "it-ran"
    if by == "pickle":
        path.write_bytes(pickle.dumps({"a": Program(trace)}))
    else:
        torch.save({"a": Program(trace)}, path, _use_new_zipfile_serialization=by == "torch")
    assert fault(path)
    assert not trace.exists()


def test_objects_are_named_and_refused(tmp_path):
    content = {"model": STATE, "args": argparse.Namespace(lr=1)}
    assert "holds more than tensors (argparse.Namespace)" in fault(written(tmp_path, content))
    assert "holds more than tensors (torch.nn.modules.linear.Linear)" in fault(written(tmp_path, torch.nn.Linear(2, 2)))


def test_the_digest_is_that_of_the_file(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert weight_files.sha256(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()

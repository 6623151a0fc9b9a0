"""A training that is killed at any moment and run again gives the bytes of an undisturbed one."""

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from small_training import ADAMW, BASELINE, CPU, MUON, RECIPE, files_of, model_of, recipe_of, run_script, split_of

from selfdoubt.data import datasets
from selfdoubt.runtime import tensor_files
from selfdoubt.training import loop, losses, resume
from selfdoubt.training.batches import Stream
from selfdoubt.training.loop import Training
from selfdoubt.training.optimizers import Optimizer
from selfdoubt.training.resume import Keeper

RECIPES = {
    "sgd": RECIPE | {"epochs": 4},
    "adamw-ema": RECIPE | {"epochs": 4, "ema_decay": 0.9, "optimizer": ADAMW},
    "muon": RECIPE | {"epochs": 4, "optimizer": MUON},
}
SETTINGS = {name: BASELINE | {"recipe": recipe} for name, recipe in RECIPES.items()}
SETTINGS["techniques"] = SETTINGS["sgd"] | {
    "techniques": [
        {"method": "crl", "weight": 1.0},
        {"method": "logit-norm", "temperature": 0.5},
        {"method": "regmixup", "alpha": 10.0, "eta": 1.0},
        {"method": "sam", "rho": 0.05},
        {"method": "swa", "start_fraction": 0.25, "factor": 0.5, "lowest_factor": None, "cycle_epochs": 1},
    ]
}


def dying(function, n: int, before=lambda *_: None):
    """The function, killing its process at the n-th call, after doing `before`."""
    calls = []

    def called(*arguments, **options):
        calls.append(1)
        if len(calls) == n:
            before(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)

    return called


def half(_, path: Path, __) -> None:
    path.write_bytes(b"half")


DEATHS = {"step": (Optimizer, "step", None), "write": (tensor_files, "save_file", half), "rename": (os, "fsync", None)}


def run(folder: Path, settings: dict, name: str = "a", when: str | None = None, n: int = 0, seed=1, code="abc"):
    """Train in a process of its own, which dies at the n-th call of what `when` names.

    Returns the exit code, negative for a signal, and what was printed.
    """
    files = files_of(folder, name) | {"state": folder / f"state-{name}", "progress": folder / f"{name}.jsonl"}
    process = os.fork()  # torch is there already
    if process == 0:
        with (folder / "out").open("w") as out, pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            if when:
                place, function, before = DEATHS[when]
                patch.setattr(place, function, dying(getattr(place, function), n, before or (lambda *_: None)))
            code_of_exit = 1
            try:
                torch.set_num_threads(1)
                run_script("train_on_labels", seed, settings, code=code, **files)
                code_of_exit = 0
            finally:
                out.flush()
                os._exit(code_of_exit)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), (folder / "out").read_text()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)  # of 4 epochs of 3 steps
def test_a_training_killed_at_any_moment_ends_with_the_same_bytes(tmp_path, settings):
    assert run(tmp_path, settings)[0] == 0
    # in the first epoch, at a step of the second, in the middle of a state, between its writing and its rename
    for when, n in [("step", 2), ("step", 2), ("write", 1), ("step", 5), ("rename", 2), ("write", 1)]:
        assert run(tmp_path, settings, "b", when, n)[0] == -signal.SIGKILL
        assert not (tmp_path / "b.safetensors").exists()
    code, out = run(tmp_path, settings, "b")
    assert code == 0 and "resuming at epoch" in out
    for suffix in (".safetensors", ".parquet"):
        assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"a{suffix}").read_bytes()
    assert not list(tmp_path.glob("state-*"))  # forgotten once the checkpoint is written


def test_a_kill_between_the_two_outputs_loses_nothing(tmp_path):
    settings = BASELINE | {"recipe": RECIPES["sgd"]}
    assert run(tmp_path, settings)[0] == 0
    # 4 states and the history are written, then the checkpoint's bytes, but not its name
    assert run(tmp_path, settings, "b", "rename", 6)[0] == -signal.SIGKILL
    assert (tmp_path / "b.parquet").exists() and not (tmp_path / "b.safetensors").exists()
    _, out = run(tmp_path, settings, "b")
    assert "resuming at epoch 4, batch 0" in out and "epoch=3" not in out
    assert (tmp_path / "b.safetensors").read_bytes() == (tmp_path / "a.safetensors").read_bytes()


def interrupted(tmp_path, stop_at: int, minutes: float, **values) -> tuple[Training, object]:
    """A training that stops before its optimiser's step number `stop_at`, and the model that it leaves."""
    model, recipe, calls = model_of(), recipe_of(**values), []
    objective = losses.from_labels()

    def stopping(logits, batch):
        calls.append(batch)
        if len(calls) == stop_at:
            raise KeyboardInterrupt
        return objective(logits, batch)

    stream, keeper = Stream(split_of(), recipe, 1, CPU), Keeper(tmp_path, "key", minutes)
    return Training(model, stream, stopping, split_of(6), keeper=keeper), model


def test_long_epochs_are_kept_on_the_way(tmp_path, capsys):
    """With a state after each step, what is interrupted in an epoch goes on in it."""
    rows, models = [], []
    for stop_at, minutes in ((0, 10), (5, 0)):
        training, model = interrupted(tmp_path / str(minutes), stop_at, minutes)
        if stop_at:
            with pytest.raises(KeyboardInterrupt):
                training.run()
            training, model = interrupted(tmp_path / str(minutes), 0, minutes)
        rows.append(training.run())
        models.append(model)
    assert "resuming at epoch 1, batch 1" in capsys.readouterr().out  # 3 steps an epoch; the 5th was not taken
    assert rows[0] == rows[1]
    one, other = (model.state_dict() for model in models)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_truncated_state_is_not_trusted(tmp_path, capsys):
    keeper = Keeper(tmp_path / "state", "key")
    keeper.save({"weight": torch.ones(3)}, {"epoch": 1})
    assert keeper.load()[1] == {"epoch": 1}
    (path,) = (tmp_path / "state").iterdir()
    path.write_bytes(path.read_bytes()[:-1])
    assert keeper.load() is None
    assert "starting from the beginning" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["settings", "seed", "input", "code"])
def test_a_state_of_other_settings_code_or_inputs_is_not_read(tmp_path, change):
    settings = BASELINE | {"recipe": RECIPES["sgd"]}
    assert run(tmp_path, settings, "b", "step", 5)[0] == -signal.SIGKILL
    changed = {"seed": {"seed": 2}, "code": {"code": "def"}}.get(change, {})
    if change == "settings":
        settings = settings | {"label_smoothing": 0.1}
    if change == "input":
        datasets.write_splits(tmp_path / "train", {"train": split_of(seed=7)}, {})
    code, out = run(tmp_path, settings, "b", **changed)
    assert code == 0 and "resuming" not in out and out.count("epoch=") == 4


@pytest.mark.parametrize("changed", ["train", "val", "masks", "teacher", "soft_labels", "start"])
def test_every_input_is_in_the_key(tmp_path, changed):
    given = {name: tmp_path / name for name in ("train", "val", "masks", "teacher", "soft_labels", "start")}
    for path in given.values():
        path.write_text("one")
    lists = {name: [given[name]] for name in ("masks", "soft_labels")}  # of which there may be none
    job = SimpleNamespace(**given | lists)
    before = loop._key(job, {})
    given[changed].write_text("other")
    assert loop._key(job, {}) != before


def test_the_key_is_the_name_of_the_state(tmp_path):
    Keeper(tmp_path, "one").save({"a": torch.ones(1)}, {})
    assert Keeper(tmp_path, "other").load() is None
    Keeper(tmp_path, "other").remove()  # a training that is over leaves nothing of its former settings either
    assert not tmp_path.exists()


def test_a_state_is_due_by_the_clock(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(resume.time, "monotonic", lambda: now[0])
    keeper = Keeper(tmp_path, "key", minutes=2)
    now[0] += 119
    assert not keeper.due()
    now[0] += 1
    assert keeper.due()
    keeper.save({"a": torch.ones(1)}, {})
    assert not keeper.due()

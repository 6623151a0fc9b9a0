"""Robust models start from a checkpoint, and learn from images that are moved."""

import pytest
import torch
from small_training import BASELINE, RECIPE, SGD, files_of, run_script, train

from selfdoubt.models import checkpoints
from selfdoubt.training import loop

STEPS = {"method": "adversarial", "epsilon_255": 8, "signs": "gradient", "n_steps": 1, "step_255": 10}
RANDOM = STEPS | {"signs": "random", "n_steps": None, "step_255": None}


def tuned(folder, start, name="robust", technique=STEPS, seed=1, **recipe):
    settings = BASELINE | {"recipe": RECIPE | recipe, "techniques": [technique]}
    return train(folder, name, seed=seed, settings=settings, script="train_robust", start=start)


def same(*paths) -> bool:
    one, two = (checkpoints.read(path)[0] for path in paths)
    return all(torch.equal(one[name], two[name]) for name in one)


def test_fine_tuning_starts_from_the_checkpoint_and_is_repeated_to_the_last_bit(tmp_path):
    start = train(tmp_path, "start")
    still = tuned(tmp_path, start, "still", seed=2, epochs=1, optimizer=SGD | {"learning_rate": 1e-12})
    weights, moved = checkpoints.read(start)[0], checkpoints.read(still)[0]
    counted = [name for name in weights if "running" in name or "tracked" in name]  # by batch normalisation
    assert all(torch.allclose(weights[name], moved[name], atol=1e-6) for name in weights if name not in counted)
    one, two, control = (
        tuned(tmp_path, start, name, kind) for name, kind in (("a", STEPS), ("b", STEPS), ("c", RANDOM))
    )
    assert same(one, two) and not same(one, control) and not same(one, start)
    assert checkpoints.read(one)[1]["passes_per_image"] == 2 and checkpoints.read(control)[1]["passes_per_image"] == 1


def test_an_interrupted_fine_tuning_is_resumed(tmp_path, monkeypatch, capsys):
    start, evaluate = train(tmp_path, "start"), loop.evaluate
    undisturbed = tuned(tmp_path, start, "whole")

    def run():
        settings = BASELINE | {"techniques": [STEPS]}
        files = files_of(tmp_path, "stopped")
        run_script("train_robust", 1, settings, start=start, state=tmp_path / "state", **files)
        return files["checkpoint"]

    def once(*given):
        if not left:
            raise KeyboardInterrupt
        return evaluate(*given, *left.pop())

    monkeypatch.setattr(loop, "evaluate", once)
    left = [()]  # the first epoch's evaluation
    with pytest.raises(SystemExit, match="interrupted"):
        run()
    left = [()]
    assert same(run(), undisturbed)
    assert "resuming at epoch 1" in capsys.readouterr().out

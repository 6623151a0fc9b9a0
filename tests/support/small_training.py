"""Small images, a small network and a short recipe, for the tests of training."""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from selfdoubt.data import datasets
from selfdoubt.data.datasets import Split
from selfdoubt.models import classifier
from selfdoubt.runtime import cli

torch.set_num_threads(1)  # of work so small, threads cost more than they do
CPU = torch.device("cpu")
SCRIPTS = Path(cli.__file__).resolve().parents[2]
NETWORK = {"family": "convnet", "widths": [2, 3, 4]}
SGD = {"method": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0005}
ADAMW = {"method": "adamw", "learning_rate": 0.01, "betas": [0.9, 0.99], "weight_decay": 0.1}
MUON = {"method": "muon", "learning_rate": 0.1, "other_learning_rate": 0.05, "momentum": 0.6, "weight_decay": 0.01}
MUON |= {"n_iterations": 3}
RECIPE = {"epochs": 2, "validate_every": 1, "batch_size": 8, "optimizer": SGD}
RECIPE |= {"schedule": {"method": "triangular", "warmup_fraction": 0.25}}
RECIPE |= {"max_gradient_norm": None, "ema_decay": None, "shift_px": 1, "crop": None, "flip": True}
RECIPE |= {"n_workers": 0, "precision": "float32", "device": "cpu", "gpu": 1, "threads": 1}
BASELINE = {"network": NETWORK, "recipe": RECIPE, "label_smoothing": 0.0}
BASELINE |= {"confidence_penalty": 0.0, "virtual_teacher": None}
KD = {"method": "kd", "temperature": 4.0, "alpha": 0.9}
STUDENT = {"network": NETWORK, "recipe": RECIPE, "loss": KD, "target_transform": None}
STUDENT |= {"teacher_view": "same", "top_k": None}


def recipe_of(**values) -> SimpleNamespace:
    """RECIPE with other values, those of the optimiser and the schedule by their own names."""
    parts = {part: {**RECIPE[part]} for part in ("optimizer", "schedule")}
    for part in parts.values():
        part.update({name: values.pop(name) for name in part.keys() & values.keys()})
    return cli.parse_settings(json.dumps({**RECIPE, **parts, **values}))


def split_of(n: int = 20, seed: int = 0, size_px: int = 16) -> Split:
    """Three classes that differ in brightness, with noise."""
    draws, labels = np.random.default_rng(seed), np.arange(n) % 3
    images = 40 + 70 * labels[:, None, None, None] + draws.integers(-30, 31, (n, 1, size_px, size_px))
    return Split(images.astype(np.uint8), labels, np.arange(n, dtype=np.int32))


def model_of(seed: int = 0, **network) -> classifier.Classifier:
    network = SimpleNamespace(**{**NETWORK, **network})
    return classifier.build_model(network, n_classes=3, channels=1, size_px=16, seed=seed)


def run_script(name: str, seed: int | None, settings: dict, code: str = "abc", **files) -> None:
    """Run a script as Snakemake does, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name, *arguments_of(seed, settings, code, **files)])
        patch.setattr(cli, "_die_with_parent", lambda: None)  # it would tie the tests to their shell
        runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")


def arguments_of(seed: int | None, settings: dict, code: str = "abc", **files) -> list[str]:
    """The command line of a script; seed: None where it has none."""
    argv = [f"--settings={json.dumps(settings)}", f"--code={code}"] + [f"--replicate={seed}"] * (seed is not None)
    for option, paths in files.items():
        argv += [f"--{option.replace('_', '-')}", *map(str, paths if isinstance(paths, list) else [paths])]
    return argv


def files_of(folder: Path, name: str = "a") -> dict[str, Path]:
    """The files of a training script, of which the splits are there."""
    folder.mkdir(exist_ok=True)
    for split, images in (("train", split_of()), ("val", split_of(6, seed=1))):
        if not (folder / split).exists():
            datasets.write_splits(folder / split, {split: images}, {})
    written = {"checkpoint": folder / f"{name}.safetensors", "history": folder / f"{name}.parquet"}
    return {"train": folder / "train", "val": folder / "val", **written}


def train(folder: Path, name: str = "a", seed: int = 1, settings: dict = BASELINE, script="train_on_labels", **files):
    """Train on small splits and return the checkpoint's path; `files` replaces or adds files."""
    files = files_of(folder, name) | files
    run_script(script, seed, settings, **files)
    return files["checkpoint"]

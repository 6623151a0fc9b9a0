"""A small network, small splits and candidates of every method, for the tests of enhancers."""

from types import SimpleNamespace

import numpy as np
import torch
from small_groups import SPLITS, network

from selfdoubt.enhancers import batches, selection
from selfdoubt.models import inference
from selfdoubt.settings.registry import settings_of as settings_of_kind

CHOICES = {
    "odin": {"epsilon_255": [2, 20], "temperature": [1, 10]},
    "doctor": {"epsilon_255": [2, 20], "temperature": [1, 10]},
    "anti-adversary": {"epsilon_255": [2, 20], "n_steps": 3},
    "hedge": {"epsilon_255": [2, 20], "n_steps": 3, "random_start": False},
    "random-sign": {"epsilon_255": [2, 20], "temperature": [1, 10]},
    "tta": {"n_views": 3, "shift_px": [1, 2], "flip": True},
    "oracle": {"epsilon_255": [2, 20], "n_halvings": 3},
    "ace": {"epsilon_255": 20, "n_halvings": 3},
    "deep": {"epsilon_255": [2, 100], "confidence_weight": 1.0, "n_folds": 2},
    "asymmetry": {"epsilon_255": [2, 20], "n_steps": 2, "l2_penalty": 0.1, "n_folds": 3},
    "clean-logistic": {"l2_penalty": [0.01, 1], "n_folds": 3},
    "views": {"family": "geometry", "n_views": 3, "shift_px": [0, 1], "rotation_degrees": [10, 40]},
    "view-logistic": {"family": "noise", "n_views": 3, "noise_255": [4, 40], "l2_penalty": 0.1, "n_folds": 3},
    "transform-attack": {"space": "affine", "direction": "gradient", "eta": [1, 4], "shift_px": 0.5},
    "confidence-head": {"reads_logits": True, "width": 4, "epochs": [2, 4], "n_folds": 2},
    "feature-head": {
        "reads_logits": False,
        "target": "correctness",
        "width": 8,
        "n_layers": 2,
        "epochs": [2, 40],
        "n_folds": 2,
    },
    "deep-spatial": {"size": [0.5, 2], "shift_px": 1, "rotation_degrees": 10, "ranking_weight": 1.0, "n_folds": 2},
    "radius": {"n_steps": 2, "epsilon_255": [2, 20]},
}
CHOICES["transform-attack"] |= {"rotation_degrees": 5, "scale_percent": 5, "shear_percent": 5}
CHOICES["transform-attack"] |= {"l2_penalty": 0.1, "n_folds": 3}
CHOICES["deep"] |= {"width": 4, "epochs": 3, "batch_size": 16, "learning_rate": 0.05}
CHOICES["deep-spatial"] |= {"scale_percent": 10, "shear_percent": 10, "width": 4, "epochs": 3}
for trained in ("confidence-head", "feature-head", "deep-spatial"):
    CHOICES[trained] |= {"batch_size": 16, "learning_rate": 0.05}
SETTINGS = {name: kind for name, kind in settings_of_kind("enhancers").items() if name in CHOICES}
WITH_GRADIENTS = [name for name, settings in SETTINGS.items() if "precision" in settings.model_fields]
FITTED = [name for name in SETTINGS if hasattr(selection.load(name), "fit")]
READING = [name for name, settings in SETTINGS.items() if settings.reads_labels]
KEEPING = ("odin", "doctor", "random-sign", "oracle", "ace", "asymmetry", "clean-logistic")
KEEPING += ("views", "view-logistic", "transform-attack", "radius")
KEEPING += ("confidence-head", "feature-head", "deep-spatial")


def settings_of(method: str, **values) -> SimpleNamespace:
    defaults = {"precision": "float32"} if method in WITH_GRADIENTS else {}
    return SimpleNamespace(method=method, models=["ce", "kd"], **defaults | CHOICES[method] | values)


def single(method: str, **values) -> SimpleNamespace:
    """The settings with the first of each list."""
    chosen = {name: (v[0] if isinstance(v, list) else v) for name, v in CHOICES[method].items()}
    return settings_of(method, **chosen | values)


def batch_of(name: str = "test", model=None) -> batches.Batch:
    pixels = inference.as_pixels(SPLITS[name].images, torch.device("cpu"))
    return batches.Batch(model or network(), pixels, torch.from_numpy(SPLITS[name].labels))


def answer(method: str, model=None, generator=None, **values) -> batches.EnhancedBatch:
    settings = SimpleNamespace(precision="float32", **values)
    generator = generator or np.random.default_rng(0)
    return selection.load(method).enhance(batch_of(model=model), settings, generator)


def clean_logits(name: str = "test") -> np.ndarray:
    return inference.predict_logits(network(), SPLITS[name].images)

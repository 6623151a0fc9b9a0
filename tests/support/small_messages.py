"""Three small networks that send one another messages about a split, for the tests of communication."""

from types import SimpleNamespace

import numpy as np
from small_groups import SPLITS, network

from selfdoubt.communication import exchange
from selfdoubt.communication.probabilities import mean_probability
from selfdoubt.models import inference
from selfdoubt.runtime import methods

MESSAGES = methods.names_in("communication.messages")
OF_PIXELS = [name for name in MESSAGES if name != "spatial"]


MODELS = {"one": network(1), "two": network(2), "three": network(3)}
CLEAN = {name: inference.predict_logits(model, SPLITS["test"].images) for name, model in MODELS.items()}
MEAN = mean_probability(list(CLEAN.values())).astype(np.float32)
HALF = float(np.sort(np.exp(MEAN.max(1)))[16:18].mean())  # about half of the 33 images are contested


def settings_of(message: str = "gradient", **values) -> SimpleNamespace:
    defaults = {"epsilon_255": 8, "n_steps": 2, "n_candidates": 2, "contested_below": HALF}
    defaults |= {
        "precision": "float32",
        "gains_relative_to": "none",
        "shift_px": 1,
        "flip": True,
        "pick": "confident",
        "momentum": 1.0,
        "n_views": 3,
    }
    return SimpleNamespace(method="persuasion", message=message, **{**defaults, **values})


def sent(message: str = "gradient", **values) -> exchange.Messages:
    settings, prior = settings_of(message, **values), MEAN.astype(np.float64)
    return exchange.exchange(MODELS, [*MODELS], SPLITS["test"], CLEAN, prior, settings, (0, "test"))

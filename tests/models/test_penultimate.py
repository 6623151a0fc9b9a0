"""Penultimate features: what the last layer is given, from which the logits follow."""

from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from selfdoubt.models import inference, penultimate
from selfdoubt.models.classifier import Classifier, build_model
from selfdoubt.models.network import Network
from selfdoubt.runtime.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (7, 3, 32, 32), np.uint8)
TIMM = {"family": "timm", "pretrained": False, "patch_px": 4, "input_px": "data"}


@pytest.mark.parametrize(
    "network",
    [
        {"family": "convnet", "widths": [8, 16]},
        {"family": "resnet-cifar", "depth": 8},
        {"family": "wide-resnet", "depth": 10, "widen_factor": 1, "dropout": 0.0},
        {**TIMM, "name": "test_resnet"},
        {**TIMM, "name": "test_vit"},
    ],
    ids=lambda network: network.get("name", network["family"]),
)
def test_logits_follow_from_features_and_head(network):
    model = build_model(SimpleNamespace(**network), 5, 3, 32)
    features, (weight, bias) = penultimate.features_of(model, IMAGES), penultimate.head_of(model)
    assert features.dtype == np.float16 and features.shape == (7, weight.shape[1])
    logits = inference.predict_logits(model, IMAGES)
    assert features @ weight.T + bias == pytest.approx(logits, abs=2e-3 * float(np.abs(logits).max()))
    assert np.array_equal(inference.predict_logits(model, IMAGES), logits)  # nothing is left in the model


def ending_in(body: nn.Module, *heads: str) -> Classifier:
    return Classifier(Network(body, heads, ()), 3)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (ending_in(nn.Sequential(nn.Flatten(), nn.Linear(3072, 2))), "nothing"),
        (ending_in(nn.Sequential(nn.Flatten(), nn.Linear(3072, 2), nn.Linear(2, 2)), "1", "2"), "Linear and Linear"),
        (ending_in(nn.Sequential(nn.Conv2d(3, 2, 32), nn.Flatten()), "0"), "Conv2d"),
        (ending_in(nn.Sequential(nn.Linear(32, 2), nn.Flatten()), "0"), "is given"),
    ],
)
def test_a_network_without_such_features_is_refused(model, message):
    with pytest.raises(UserError, match=f"{message}.*features: true"):
        penultimate.features_of(model, IMAGES)


def test_features_beyond_float16_are_refused():
    body = nn.Sequential(nn.Flatten(), nn.Linear(3072, 3), nn.Linear(3, 2))
    nn.init.constant_(body[1].weight, 100.0)
    with pytest.raises(UserError, match="beyond float16"):
        penultimate.features_of(ending_in(body, "2"), IMAGES)

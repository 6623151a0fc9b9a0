"""What the last layer of a classifier is given of each image: its penultimate features."""

import numpy as np
import torch

from selfdoubt.models import inference
from selfdoubt.models.classifier import Classifier
from selfdoubt.runtime.errors import UserError


def features_of(model: Classifier, images: np.ndarray, key: str = "features: true") -> np.ndarray:
    """Return the features of uint8 images (n, C, H, W): float16 (n, d).

    key: of the config, which asks for them. Raises UserError if the network ends in no linear layer, or its features
    are no vectors, or beyond float16.
    """
    layer, found = model.last_layer(key), []

    def keep(_, given) -> None:
        found.append(given[0].to(torch.float16).cpu().numpy())

    hook = layer.register_forward_pre_hook(keep)
    try:
        inference.predict_logits(model, images)
    finally:
        hook.remove()
    features = np.concatenate(found)
    if features.shape != (len(images), layer.in_features):
        raise UserError(f"features: the last layer of {_name(model)} is given {features.shape}; remove `{key}`")
    if not np.isfinite(features).all():
        raise UserError(f"features: those of {_name(model)} are beyond float16; remove `{key}`")
    return features


def head_of(model: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """Return weight (K, d) and bias (K,), float32, by which features become logits."""
    layer = model.last_layer("features: true")
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    return tuple((model.logit_scale * each).detach().float().cpu().numpy() for each in (layer.weight, bias))


def _name(model: Classifier) -> str:
    return type(model.body).__name__

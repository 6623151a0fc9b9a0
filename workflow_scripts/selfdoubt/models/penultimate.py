"""What the last layer of a classifier is given of each image: its penultimate features."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from selfdoubt.models import inference
from selfdoubt.models.classifier import Classifier
from selfdoubt.runtime.errors import UserError

T = TypeVar("T")


def features_of(model: Classifier, images: np.ndarray, key: str = "features: true") -> np.ndarray:
    """Return the features of uint8 images (n, C, H, W): float16 (n, d).

    key: of the config, which asks for them. Raises UserError if the network ends in no linear layer, or its features
    are no vectors, or beyond float16.
    """
    return predict(model, images, key)[1]


def predict(model: Classifier, images: np.ndarray, key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits of images, float32 (n, K), and their features, as `features_of` does, by one forward."""
    with kept(model, key, lambda given: given.to(torch.float16).cpu().numpy()) as found:
        logits = inference.predict_logits(model, images)
    features = np.concatenate(found)
    if not np.isfinite(features).all():
        raise UserError(f"features: those of {_name(model)} are beyond float16; remove `{key}`")
    return logits, features


@contextmanager
def kept(model: Classifier, key: str, convert: Callable[[Tensor], T]) -> Iterator[list[T]]:
    """Keep the features (n, d) of each batch that passes through a model, converted, in a list.

    key: the config's, which asks for them. Raises UserError if the network ends in no linear layer, or its features are
    no vectors.
    """
    layer, found = model.last_layer(key), []

    def keep(_, given: tuple[Tensor]) -> None:
        if given[0].ndim != 2:
            what = f"the last layer of {_name(model)} is given {tuple(given[0].shape)}"
            raise UserError(f"{key}: {what}, which are no vectors; remove `{key}`")
        found.append(convert(given[0]))

    hook = layer.register_forward_pre_hook(keep)
    try:
        yield found
    finally:
        hook.remove()


def head_of(model: Classifier) -> tuple[np.ndarray, np.ndarray]:
    """Return weight (K, d) and bias (K,), float32, by which features become logits."""
    layer = model.last_layer("features: true")
    bias = torch.zeros(layer.out_features) if layer.bias is None else layer.bias
    return tuple((model.logit_scale * each).detach().float().cpu().numpy() for each in (layer.weight, bias))


def _name(model: Classifier) -> str:
    return type(model.body).__name__

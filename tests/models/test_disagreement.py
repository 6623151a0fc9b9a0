"""The further output of students that learn how far their teachers disagree."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import assert_close
from small_training import CPU, NETWORK, split_of
from torch.optim.swa_utils import AveragedModel

from selfdoubt.models import checkpoints, inference
from selfdoubt.models.classifier import build_model
from selfdoubt.models.disagreement import Disagreeing, mutual_information
from selfdoubt.runtime.errors import UserError

torch.set_num_threads(1)
SHAPE = {"n_classes": 3, "channels": 1, "size_px": 16}
IMAGES = split_of(7).images
FAMILIES = {
    "convnet": NETWORK,
    "resnet-cifar": {"family": "resnet-cifar", "depth": 8},
    "timm": {"family": "timm", "name": "resnet10t", "pretrained": False, "input_px": "data"},
}


def model_of(disagreement: bool = True, network: dict = NETWORK):
    return build_model(SimpleNamespace(**network), **SHAPE, seed=1, disagreement=disagreement)


def test_an_output_is_a_fraction_of_the_largest_mutual_information():
    # Of sigmoid 1/2 and 3/4.
    found = mutual_information(torch.tensor([0.0, np.log(3)]), 4)
    assert_close(found, torch.tensor([np.log(4) / 2, 3 * np.log(4) / 4]))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_network_beside_it_is_as_it_was(family):
    own, plain = model_of(True, FAMILIES[family]), model_of(False, FAMILIES[family])
    weights = own.state_dict()
    assert all(torch.equal(weights[name], tensor) for name, tensor in plain.state_dict().items())
    assert set(weights) - set(plain.state_dict()) == {"further.weight", "further.bias"}
    assert set(own.head_names()) == {*plain.head_names(), "further.weight", "further.bias"}
    assert np.array_equal(inference.predict_logits(own, IMAGES), inference.predict_logits(plain, IMAGES))
    pixels = inference.as_pixels(IMAGES, CPU)
    assert torch.equal(own.train()(pixels)[:, :3], plain.train()(pixels)) and own(pixels).shape == (7, 4)


def test_it_is_of_the_features_of_each_image():
    model = model_of()
    features = []
    model.heads()[0].register_forward_pre_hook(lambda _, given: features.append(given[0]))
    found = inference.predict_disagreement(model, IMAGES)
    output = torch.cat(features) @ model.further.weight[0] + model.further.bias
    assert_close(torch.from_numpy(found), np.log(3) * (output / 9).sigmoid().detach())
    assert found.dtype == np.float32 and (found > 0).all() and (found < np.log(3)).all()


def test_it_is_in_the_checkpoint_and_in_an_average_of_weights(tmp_path):
    model = model_of()
    metadata = {"settings": {"network": NETWORK, "disagreement": {"weight": 1.0, "shuffled": False}}, "shape": SHAPE}
    checkpoints.save(tmp_path / "a", model, metadata)
    read, average = checkpoints.load_model(tmp_path / "a", CPU), AveragedModel(model, use_buffers=True).module
    assert type(read) is type(average) is Disagreeing
    expected = inference.predict_disagreement(model, IMAGES)
    with torch.no_grad():
        model.further.bias += 1  # which the copies know nothing of
    for copied in (read, average):
        assert np.array_equal(inference.predict_disagreement(copied, IMAGES), expected)


def test_a_network_without_one_linear_layer_at_its_end_is_refused():
    network = FAMILIES["timm"] | {"name": "deit_tiny_distilled_patch16_224", "patch_px": 4}
    with pytest.raises(UserError, match=r"^disagreement: .*remove `disagreement`"):
        model_of(True, network)

"""Confidence heads: what they read, what they cost, and what they learn."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_enhancers import SPLITS, batch_of, clean_logits, network, single

from selfdoubt.enhancers import heads, image_network, selection
from selfdoubt.enhancers.methods import confidence_head, feature_head
from selfdoubt.evaluation.log_odds import log_odds
from selfdoubt.runtime.errors import UserError
from selfdoubt.training import small_networks

CORRECT = clean_logits("val").argmax(1) == SPLITS["val"].labels


def fitted(method: str, val=SPLITS["val"], part=None, seed: int = 1, **values):
    settings, part = single(method, **values), np.arange(60) if part is None else part
    return selection.load(method).fit(network(), val, [settings], [part], seed)[0][0], settings


def confidence(method: str, head, settings, name: str = "val") -> np.ndarray:
    found = selection.load(method).enhance(batch_of(name), settings, None, head)
    return log_odds(found.logits.numpy())


@pytest.mark.parametrize("method", ["confidence-head", "feature-head"])
def test_a_head_learns_which_predictions_it_was_trained_on_are_correct(method):
    head, settings = fitted(method, epochs=60, learning_rate=0.02)
    of_correct, of_incorrect = (confidence(method, head, settings)[each == CORRECT] for each in (True, False))
    assert np.median(of_correct) > np.median(of_incorrect) + 1
    again, _ = fitted(method, epochs=60, learning_rate=0.02)
    assert all(torch.equal(a, b) for a, b in zip(head.parameters(), again.parameters(), strict=True))


def test_the_head_that_reads_no_logits_does_not_see_the_classifier():
    for reads_logits in (False, True):
        head, settings = fitted("confidence-head", reads_logits=reads_logits)
        batch, other = batch_of(), batch_of(model=network())
        other.model[3].weight.data[:] *= -1
        with torch.no_grad():
            one, two = (
                head(each.images, heads.known_of(each.logits(each.images), settings)) for each in (batch, other)
            )
        assert torch.equal(one, two) != reads_logits


def test_a_head_that_reads_logits_starts_at_the_clean_confidence():
    logits = torch.from_numpy(clean_logits())
    known = heads.known_of(logits, SimpleNamespace(reads_logits=True))
    assert known.shape == (33, 2 * 5 + 1)  # log p, which class is predicted, log-odds
    found = heads.Last(3, known)(torch.ones(33, 3), known)
    np.testing.assert_allclose(found.detach(), log_odds(clean_logits()), atol=1e-5)
    assert heads.Last(3, known[:, :0])(torch.ones(33, 3), known[:, :0]).any()


def test_the_head_of_images_costs_no_more_than_the_network_of_deep():
    """Multiplications of the convolutions: outputs times weights of one."""
    count = []

    def counting(layer, inputs, output):
        count[-1] += output[0].numel() * layer.weight[0].numel()

    head = confidence_head.ImageHead(3, 16, torch.zeros(4, 0))
    deep = image_network.ImageNetwork(3, 16, 0.1)
    for made, given in ((head, (torch.zeros(1, 0),)), (deep, ())):
        count.append(0)
        for layer in made.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.register_forward_hook(counting)
        made(torch.zeros(1, 3, 32, 32), *given)
    assert 0.7 * count[1] < count[0] <= count[1]


def test_confidnet_estimates_the_probability_of_the_true_class():
    # The loss of a prediction whose log-odds are 0 (a half) where the true class has .9: .4 squared.
    assert feature_head.squared(torch.zeros(1), torch.tensor([0.9])).item() == pytest.approx(0.16)
    head, _ = fitted("feature-head", target="true-class-probability", epochs=200, learning_rate=0.01)
    logits, features = feature_head.predict(batch_of("val"))
    p = logits.softmax(-1)[range(60), torch.from_numpy(SPLITS["val"].labels)].detach()
    with torch.no_grad():
        found = head(features, logits[:, :0]).sigmoid()
    assert ((found - p) ** 2).mean() < 0.5 * p.var()


def test_features_are_those_before_the_last_layer():
    logits, features = feature_head.predict(batch_of())
    torch.testing.assert_close(network()[3](features), logits)


def test_standardised_features_by_hand():
    # One varies, by a deviation of 1 about 2; others are constant, of which float32's mean is not 0.1 at each size.
    rows = torch.tensor([[1.0, 0.1, 1e4, 0.0], [3.0, 0.1, 1e4, 0.0]]).repeat(500, 1)
    standard = small_networks.Standardised(rows)
    found = standard(torch.tensor([[3.0, 0.1, 1e4, 0.0], [0.0, 0.2, -1e4, 5.0], [500.0, 0.1, 1e4, 0.0]]))
    assert found.dtype == torch.float32
    np.testing.assert_array_equal(found, [[1, 0, 0, 0], [-2, 0, 0, 0], [10, 0, 0, 0]])


@pytest.mark.parametrize("method", ["confidence-head", "feature-head"])
def test_logits_are_finite_where_log_odds_are_large(method):
    head, settings = fitted(method)
    for value in (1e4, -1e4):
        with torch.no_grad():
            head.last.layer.bias.fill_(value)
        batch = batch_of()
        found = selection.load(method).enhance(batch, settings, None, head).logits
        assert torch.isfinite(found).all()
        assert torch.equal(found.argmax(1), batch.predicted)


def test_a_part_without_errors_is_refused():
    right = SimpleNamespace(images=SPLITS["val"].images, labels=clean_logits("val").argmax(1))
    for method in ("confidence-head", "feature-head"):
        with pytest.raises(UserError, match="is correct"):
            fitted(method, val=right)

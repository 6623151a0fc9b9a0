"""Attacks stay within their budget, raise what they should and leave the model as it was."""

import numpy as np
import pytest
import torch
from torch import nn

from selfdoubt.attacks import gradients
from selfdoubt.runtime import randomness


class TwoPixels(nn.Module):
    """Logits (2a - b, 0) of an image of two pixels (a, b)."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2, bias=False)
        self.linear.weight.data = torch.tensor([[2.0, -1.0], [0.0, 0.0]])

    def forward(self, images):
        return self.linear(images.flatten(1))


def small_network() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.Flatten(), nn.Linear(144, 5)]
        return nn.Sequential(*layers).eval()


def some_images(n: int = 9) -> torch.Tensor:
    """Pixels of which a good share lies at 0 and at 1, where clipping bites."""
    pixels = np.random.default_rng(0).uniform(-0.3, 1.3, (n, 1, 8, 8)).clip(0, 1)
    return torch.from_numpy(pixels.astype(np.float32))


def two_pixels(a: float, b: float) -> torch.Tensor:
    return torch.tensor([a, b]).view(1, 1, 1, 2)


def test_input_gradient_of_a_linear_model():
    gradient, logits = gradients.input_gradient(TwoPixels(), two_pixels(0.5, 0.5), lambda logits: logits[:, 0])
    assert gradient.flatten().tolist() == [2, -1]
    assert logits.tolist() == [[2 * 0.5 - 0.5, 0]]


def test_a_step_raises_the_margin_of_a_linear_model_by_epsilon_times_its_weights():
    # One step of 0.1 along (+, -): the logit 2a - b grows by 0.1 * (|2| + |-1|) = 0.3, from 0.5 to 0.8.
    towards_0 = gradients.log_odds(torch.tensor([0]))
    moved = gradients.ascend(TwoPixels(), two_pixels(0.5, 0.5), towards_0, epsilon=0.1, n_steps=1, step=0.1)
    assert moved.flatten().tolist() == pytest.approx([0.6, 0.4])
    assert TwoPixels()(moved)[0, 0].item() == pytest.approx(0.8)


def test_steps_stop_at_epsilon_and_at_the_end_of_the_pixel_range():
    # Three steps of 0.2 would reach (1.1, -0.05); epsilon 0.3 stops a at 0.8, the pixel range stops b at 0.
    towards_0 = gradients.log_odds(torch.tensor([0]))
    moved = gradients.ascend(TwoPixels(), two_pixels(0.5, 0.25), towards_0, epsilon=0.3, n_steps=3, step=0.2)
    assert moved.flatten().tolist() == pytest.approx([0.8, 0.0])


@pytest.mark.parametrize("epsilon", [0.0, 0.01, 0.3, 2.0])
def test_perturbations_stay_within_epsilon_and_the_pixel_range(epsilon):
    images, objective = some_images(), gradients.log_odds(torch.arange(9) % 5)
    ascended = gradients.ascend(small_network(), images, objective, epsilon, n_steps=3, step=epsilon / 2)
    for moved in (ascended, gradients.random_signs(images, epsilon, randomness.generator(0, "test"))):
        assert (moved - images).abs().max() <= epsilon + 1e-6
        assert moved.min() >= 0 and moved.max() <= 1
        assert epsilon == 0 or not torch.equal(moved, images)


def test_ascent_raises_each_objective_and_no_gradient_mode_does_not_hinder_it():
    model, images, labels = small_network(), some_images(), torch.arange(9) % 5
    with torch.no_grad():
        for objective in (
            gradients.log_odds(labels),
            gradients.summed_cross_entropy(),
            gradients.top_log_odds(),
            gradients.log_d_alpha(),
        ):
            moved = gradients.ascend(model, images, objective, epsilon=0.02, n_steps=2, step=0.01)
            assert (objective(model(moved)) > objective(model(images))).all()


def test_the_gradient_of_an_image_ignores_its_neighbours():
    model, images = small_network(), some_images()
    together, _ = gradients.input_gradient(model, images, gradients.top_log_odds())
    alone, _ = gradients.input_gradient(model, images[4:5], gradients.top_log_odds())
    torch.testing.assert_close(together[4:5], alone)


def test_gradients_of_bfloat16_point_the_same_way_and_come_in_float32():
    model, images, seen = small_network(), some_images(), []
    model[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    towards = gradients.log_odds(torch.arange(9) % 5)
    exact, _ = gradients.input_gradient(model, images, towards)
    rough, logits = gradients.input_gradient(model, images, towards, "bfloat16")
    assert seen == [torch.float32, torch.bfloat16]
    assert rough.dtype == logits.dtype == torch.float32
    assert (rough != exact).any()
    assert nn.functional.cosine_similarity(rough.flatten(1), exact.flatten(1)).min() > 0.99


def test_ascent_takes_its_gradients_at_the_precision_asked_for():
    model, images, seen = small_network(), some_images(), []
    model[0].register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    moved = gradients.ascend(model, images, gradients.top_log_odds(), 0.1, 2, 0.05, "bfloat16")
    assert seen == [torch.bfloat16] * 2
    assert moved.dtype == torch.float32


def test_a_model_is_left_as_it_was():
    model = small_network().train()
    model[0].bias.requires_grad_(False)
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gradients.ascend(model, some_images(), gradients.top_log_odds(), epsilon=0.1, n_steps=2, step=0.1)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert [name for name, weight in model.named_parameters() if not weight.requires_grad] == ["0.bias"]
    assert [module.training for module in model] == [True, False, True, True, True]


def test_a_model_is_thawed_even_after_an_error():
    model = small_network().train()
    with pytest.raises(RuntimeError), gradients.frozen(model):
        raise RuntimeError
    assert model.training and all(weight.requires_grad for weight in model.parameters())


def test_objectives():
    # softmax of (ln 3, 0) is (3/4, 1/4); at temperature 2 it is (sqrt 3, 1) / (sqrt 3 + 1).
    logits = torch.tensor([[np.log(3.0), 0.0]])
    label = torch.tensor([1])
    assert gradients.log_odds(label)(logits).item() == pytest.approx(-np.log(3))
    assert gradients.log_odds(label, 2)(logits).item() == pytest.approx(-np.log(3) / 2)
    assert gradients.top_log_odds()(logits).item() == pytest.approx(np.log(3))
    assert gradients.top_log_odds(2)(logits).item() == pytest.approx(np.log(3) / 2)


def test_the_gradient_of_log_odds_is_that_of_the_log_probability_over_the_rest():
    logits = torch.randn(20, 5, generator=torch.Generator().manual_seed(0), requires_grad=True)
    labels = torch.arange(20) % 5
    log_p = (logits / 3).log_softmax(-1)[torch.arange(20), labels]
    (expected,) = torch.autograd.grad((log_p / (1 - log_p.exp()).detach()).sum(), logits)
    (found,) = torch.autograd.grad(gradients.log_odds(labels, 3)(logits).sum(), logits)
    torch.testing.assert_close(found, expected)


def test_random_signs_are_of_full_size_go_both_ways_and_ignore_the_batching():
    images = torch.full((7, 1, 3, 3), 0.5)  # 9 pixels an image: an odd number
    whole = gradients.random_signs(images, 0.25, randomness.generator(0, "test"))
    assert set(whole.flatten().tolist()) == {0.25, 0.75}
    again = randomness.generator(0, "test")
    parts = [gradients.random_signs(images[a:b], 0.25, again) for a, b in ((0, 1), (1, 4), (4, 7))]
    assert torch.equal(torch.cat(parts), whole)


# ---- objectives ----

LOGITS = [[2.0, -1.0, 0.5], [0.0, 3.0, 2.5]]


def probabilities() -> np.ndarray:
    return np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)


def test_log_odds_are_the_logarithm_of_p_over_the_rest():
    p = probabilities()
    found = gradients.log_odds(torch.tensor([2, 0]))(torch.tensor(LOGITS)).numpy()
    np.testing.assert_allclose(found, np.log([p[0, 2] / (1 - p[0, 2]), p[1, 0] / (1 - p[1, 0])]), rtol=1e-5)
    top = gradients.top_log_odds()(torch.tensor(LOGITS)).numpy()
    np.testing.assert_allclose(top, np.log(p.max(1) / (1 - p.max(1))), rtol=1e-5)


def test_the_logarithm_of_d_alpha():
    p = np.exp(np.array(LOGITS) / 2) / np.exp(np.array(LOGITS) / 2).sum(1, keepdims=True)
    g = (p**2).sum(1)
    np.testing.assert_allclose(gradients.log_d_alpha(2)(torch.tensor(LOGITS)), np.log((1 - g) / g), rtol=1e-5)


def test_the_summed_cross_entropy_is_that_of_every_class():
    found = gradients.summed_cross_entropy()(torch.tensor(LOGITS)).numpy()
    np.testing.assert_allclose(found, -np.log(probabilities()).sum(1), rtol=1e-5)


@pytest.mark.parametrize("objective", [gradients.top_log_odds(), gradients.log_d_alpha(), gradients.log_odds])
def test_slopes_are_there_where_the_top_probability_rounds_to_1(objective):
    objective = objective(torch.tensor([0])) if objective is gradients.log_odds else objective
    logits = torch.tensor([[40.0, 0.0, -3.0]], requires_grad=True)
    assert logits.softmax(-1)[0, 0] == 1
    (slope,) = torch.autograd.grad(objective(logits).sum(), logits)
    assert slope.isfinite().all() and slope[0, 0].abs() > 0.5


def test_a_slope_beyond_all_digits_is_0_and_not_undefined():
    logits = torch.tensor([[400.0, 0.0, 0.0]], requires_grad=True)
    (slope,) = torch.autograd.grad(gradients.log_d_alpha()(logits).sum(), logits)
    assert slope.tolist() == [[0, 0, 0]]

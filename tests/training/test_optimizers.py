"""Optimisers against torch's own, against algebra, and through a save."""

from types import SimpleNamespace

import pytest
import torch
from helpers import assert_close
from torch import nn
from torch.optim._muon import muon
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd

from selfdoubt.models import classifier
from selfdoubt.training.optimizers import Optimizer, orthogonal

torch.set_num_threads(1)
SGD = SimpleNamespace(method="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.01)
ADAMW = SimpleNamespace(method="adamw", learning_rate=0.1, betas=[0.9, 0.99], weight_decay=0.01)
MUON = SimpleNamespace(
    method="muon", learning_rate=0.1, other_learning_rate=0.05, momentum=0.6, weight_decay=0.01, n_iterations=5
)
EACH = pytest.mark.parametrize("settings", [SGD, ADAMW, MUON], ids=lambda settings: settings.method)
SHARES = [0.5, 1.0, 0.7, 0.3, 0.1]
IMAGES = torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def model_of() -> classifier.Classifier:
    network = SimpleNamespace(family="convnet", widths=[4, 4, 6])
    return classifier.build_model(network, n_classes=3, channels=1, size_px=16, seed=1)


def gradients(model: nn.Module) -> None:
    model.train()
    nn.functional.cross_entropy(model(IMAGES), torch.arange(6) % 3).backward()


def stepped(settings, shares=SHARES, optimizer_of=None) -> classifier.Classifier:
    model = model_of()
    optimizer = Optimizer(model, settings)
    for share in shares:
        gradients(model)
        optimizer.step(share)
    return model


def by_torch(update) -> classifier.Classifier:
    """A model that torch's function of an optimiser has moved; its classes would import the compiler."""
    model = model_of()
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [[p for p in trained if p.ndim > 1], [p for p in trained if p.ndim <= 1]]
    kept = [{} for _ in groups]
    for share in SHARES:
        gradients(model)
        with torch.no_grad():
            for group, decay, memory in zip(groups, (0.01, 0.0), kept, strict=True):
                update(group, [p.grad for p in group], memory, weight_decay=decay, lr=0.1 * share)
        model.zero_grad()
    return model


def torchs_sgd(weights, grads, memory, **options) -> None:
    momenta = memory.setdefault("momenta", [None] * len(weights))  # filled in place
    sgd(weights, grads, momenta, foreach=True, momentum=0.9, dampening=0, nesterov=True, maximize=False, **options)


def torchs_adamw(weights, grads, memory, **options) -> None:
    for name in ("means", "squares"):
        memory.setdefault(name, [torch.zeros_like(weight) for weight in weights])
    steps = memory.setdefault("steps", [torch.tensor(0.0) for _ in weights])
    options |= {"amsgrad": False, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "maximize": False, "foreach": True}
    adamw(weights, grads, memory["means"], memory["squares"], [], steps, **options)


def assert_equal(one: nn.Module, other: nn.Module, **tolerance) -> None:
    for name, weight in one.state_dict().items():
        assert_close(weight, other.state_dict()[name], **tolerance)


def test_sgd_is_torchs_to_the_last_bit():
    assert_equal(stepped(SGD), by_torch(torchs_sgd), rtol=0, atol=0)


def test_adamw_is_torchs():
    assert_equal(stepped(ADAMW), by_torch(torchs_adamw), rtol=1e-4, atol=1e-5)


def test_muon_is_torchs_where_torch_has_it():
    """A network of one hidden matrix: torch's computes in bfloat16, so the tolerance is wide."""
    weight = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    gradient = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
    layer = nn.Linear(4, 6, bias=False)
    layer.weight.data.copy_(weight)
    layer.weight.grad = gradient.clone()
    layer.head_names = list
    Optimizer(layer, MUON).step(1.0)
    theirs, options = weight.clone(), {"lr": 0.1, "weight_decay": 0.01, "momentum": 0.6, "nesterov": True}
    options |= {"ns_coefficients": (3.4445, -4.7750, 2.0315), "ns_steps": 5, "eps": 1e-7}
    options |= {"adjust_lr_fn": None, "has_complex": False}
    muon([theirs], [gradient.clone()], [torch.zeros_like(weight)], **options)
    assert_close(layer.weight.detach() - weight, theirs - weight, rtol=0.05, atol=0.005)


@pytest.mark.parametrize("shape", [(6, 6), (4, 20), (20, 4)])
def test_the_orthogonal_factor_has_singular_values_about_1(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    found = orthogonal(matrix, 5)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5 and values.max() < 1.3
    aligned = u.T @ found @ v.T  # the same singular vectors
    assert_close(aligned, aligned.diagonal().diag(), rtol=0, atol=1e-3)


def test_muon_moves_filters_as_matrices_and_the_rest_by_sgd():
    before, after = model_of(), model_of()
    optimizer = Optimizer(after, MUON)
    gradients(after)
    seen = {name: p.grad.clone() for name, p in after.named_parameters() if p.grad is not None}
    optimizer.step(1.0)
    moved = {name: p.detach() - dict(before.named_parameters())[name] for name, p in after.named_parameters()}
    filters, head, shift = "body.blocks.1.0.weight", "body.head.weight", "body.blocks.1.2.bias"
    kept = (1 - 0.1 * 0.01) * dict(before.named_parameters())[filters]
    update = (dict(after.named_parameters())[filters] - kept).detach().flatten(1)
    assert torch.linalg.svdvals(update / 0.1).min() > 0.5  # all directions alike, unlike the gradient's
    assert_close(moved[shift], -0.05 * 1.6 * seen[shift], rtol=1e-4, atol=1e-7)
    decayed = seen[head] + 0.01 * dict(before.named_parameters())[head].detach()
    assert_close(moved[head], -0.05 * 1.6 * decayed, rtol=1e-4, atol=1e-7)


@EACH
def test_frozen_parameters_stay_and_gradients_are_forgotten(settings):
    model, frozen = stepped(settings), "body.whitening.weight"
    assert torch.equal(model.state_dict()[frozen], model_of().state_dict()[frozen])
    assert all(p.grad is None for p in model.parameters())


def decayed(model: nn.Module, settings) -> set[str]:
    """The parameters that a step without gradients makes smaller."""
    optimizer = Optimizer(model, settings)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    before = {name: p.detach().norm() for name, p in model.named_parameters()}
    optimizer.step(1.0)
    return {name for name, p in model.named_parameters() if p.detach().norm() < before[name]}


@EACH
def test_scales_and_shifts_do_not_decay(settings):
    model = model_of()
    expected = {name for name, p in model.named_parameters() if p.ndim > 1 and p.requires_grad}
    assert decayed(model, settings) == expected


@EACH
def test_what_a_network_exempts_does_not_decay(settings):
    model, exempt = model_of(), "blocks.1.0.weight"
    model.body.no_weight_decay = lambda: {exempt}  # as networks of timm have it
    assert decayed(model_of(), settings) - decayed(model, settings) == {f"body.{exempt}"}


@EACH
def test_a_saved_state_continues_to_the_last_bit(settings):
    model = stepped(settings, SHARES[:2])
    broken = Optimizer(model, settings)  # a new one, at its beginning
    first = model_of()
    optimizer = Optimizer(first, settings)
    for share in SHARES[:2]:
        gradients(first)
        optimizer.step(share)
    broken.restore(optimizer.state())
    for share in SHARES[2:]:
        gradients(model)
        broken.step(share)
    assert_equal(model, stepped(settings), rtol=0, atol=0)
    names = {name.split(".", 1)[1] for name in optimizer.state()}
    assert names == {name for name, p in model.named_parameters() if p.requires_grad}

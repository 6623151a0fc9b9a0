"""Optimisers against torch's own, against algebra, and through a save."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from helpers import assert_close
from torch import nn

from selfdoubt import models
from selfdoubt.optimizers import Optimizer, orthogonal

SGD = SimpleNamespace(method="sgd", learning_rate=0.1, momentum=0.9, weight_decay=0.01)
ADAMW = SimpleNamespace(method="adamw", learning_rate=0.1, betas=[0.9, 0.99], weight_decay=0.01)
MUON = SimpleNamespace(
    method="muon", learning_rate=0.1, other_learning_rate=0.05, momentum=0.6, weight_decay=0.01, n_iterations=5
)
EACH = pytest.mark.parametrize("settings", [SGD, ADAMW, MUON], ids=lambda settings: settings.method)
SHARES = [0.5, 1.0, 0.7, 0.3, 0.1]
IMAGES = torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def model_of() -> models.Classifier:
    network = SimpleNamespace(family="convnet", widths=[4, 4, 6])
    return models.build_model(network, n_classes=3, channels=1, size_px=16, seed=1)


def gradients(model: nn.Module) -> None:
    model.train()
    nn.functional.cross_entropy(model(IMAGES), torch.arange(6) % 3).backward()


def stepped(settings, shares=SHARES, optimizer_of=None) -> models.Classifier:
    model = model_of()
    optimizer = Optimizer(model, settings)
    for share in shares:
        gradients(model)
        optimizer.step(share)
    return model


def by_torch(kind, **options) -> models.Classifier:
    model = model_of()
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": [p for p in trained if p.ndim > 1]}]
    groups += [{"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0}]
    optimizer = kind(groups, weight_decay=0.01, **options)
    for share in SHARES:
        for group in optimizer.param_groups:
            group["lr"] = 0.1 * share
        optimizer.zero_grad()
        gradients(model)
        optimizer.step()
    return model


def assert_equal(one: nn.Module, other: nn.Module, **tolerance) -> None:
    for name, weight in one.state_dict().items():
        assert_close(weight, other.state_dict()[name], **tolerance)


def test_sgd_is_torchs_to_the_last_bit():
    expected = by_torch(torch.optim.SGD, momentum=0.9, nesterov=True, lr=0.1, foreach=True)
    assert_equal(stepped(SGD), expected, rtol=0, atol=0)


def test_adamw_is_torchs():
    expected = by_torch(torch.optim.AdamW, lr=0.1, betas=(0.9, 0.99), foreach=True)
    assert_equal(stepped(ADAMW), expected, rtol=1e-4, atol=1e-5)


def test_muon_is_torchs_where_torch_has_it():
    """A network of one hidden matrix: torch's computes in bfloat16, so the tolerance is wide."""
    weight = torch.randn(6, 4, generator=torch.Generator().manual_seed(1))
    gradient = torch.randn(6, 4, generator=torch.Generator().manual_seed(2))
    found = []
    for kind in ("ours", "torch"):
        layer = nn.Linear(4, 6, bias=False)
        layer.weight.data.copy_(weight)
        layer.head_names = list
        ours = Optimizer(layer, MUON)
        theirs = torch.optim.Muon(layer.parameters(), lr=0.1, momentum=0.6, weight_decay=0.01, ns_steps=5)
        layer.weight.grad = gradient.clone()
        ours.step(1.0) if kind == "ours" else theirs.step()
        found.append(layer.weight.detach() - weight)
    assert_close(found[0], found[1], rtol=0.05, atol=0.005)


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


@EACH
def test_scales_and_shifts_do_not_decay(settings):
    model = model_of()
    optimizer = Optimizer(model, settings)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step(1.0)
    for name, p in model.named_parameters():
        smaller = p.detach().norm() < dict(model_of().named_parameters())[name].norm()
        assert smaller == (p.ndim > 1 and p.requires_grad), name


@EACH
def test_a_saved_state_continues_to_the_last_bit(settings):
    model = stepped(settings, SHARES[:2])
    broken = Optimizer(model, settings)  # a new one, at its beginning
    first = model_of()
    optimizer = Optimizer(first, settings)
    for share in SHARES[:2]:
        gradients(first)
        optimizer.step(share)
    for name, tensor in broken.state().items():
        tensor.copy_(optimizer.state()[name])
    for share in SHARES[2:]:
        gradients(model)
        broken.step(share)
    assert_equal(model, stepped(settings), rtol=0, atol=0)
    names = {name.split(".", 1)[1] for name in optimizer.state()}
    assert names == {name for name, p in model.named_parameters() if p.requires_grad}


def test_a_step_does_not_import_torchs_compiler():
    lines = ["import sys, torch", "from types import SimpleNamespace", "from selfdoubt.optimizers import Optimizer"]
    lines += ["layer = torch.nn.Linear(2, 2)", f"optimizer = Optimizer(layer, {SGD!r}.__class__(**{vars(SGD)!r}))"]
    lines = [line.replace(f"{SGD!r}.__class__", "SimpleNamespace") for line in lines]
    lines += ["layer(torch.ones(1, 2)).sum().backward()", "optimizer.step(1.0)"]
    lines += ["sys.exit('torch._dynamo' in sys.modules)"]
    library = str(__import__("pathlib").Path(models.__file__).parents[1])
    subprocess.run([sys.executable, "-c", "\n".join(lines)], env={"PYTHONPATH": library}, check=True)

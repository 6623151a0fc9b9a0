"""Optimisers: SGD with Nesterov momentum, AdamW, and Muon for filters and matrices.

torch's are not used for three reasons: they import the compiler at their first call (some ten seconds of each job), its
Muon takes no convolutions, and a state of named tensors makes a run resumable to the last bit. SGD and AdamW are tested
to be equal to torch's.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable

import torch

_ADAM_EPSILON = 1e-8
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: the steepest at 0 of those that stay near 1
_TINY = 1e-7


class Optimizer:
    """Updates a model's trained parameters in place, by one rule or, with Muon, two.

    Weight decay acts on matrices and filters (ndim > 1) only: not on scales and shifts, nor on what timm's networks
    exempt from it, such as the embeddings of positions.
    """

    def __init__(self, model: torch.nn.Module, settings):
        """settings: of config.yaml's `optimizer`. The model has to be on its device already."""
        named = {name: p for name, p in model.named_parameters() if p.requires_grad}
        exempt = {f"body.{name}" for name in getattr(getattr(model, "body", None), "no_weight_decay", set)()}
        flat = [name for name, p in named.items() if p.ndim <= 1 or name in exempt]
        matrices = [name for name in named if name not in flat]
        self._rules = [
            rule([(name, named[name]) for name in names], settings, decay)
            for rule, names, decay in _RULES[settings.method](matrices, flat, model, settings)
            if names
        ]

    @torch.no_grad()
    def step(self, factor: float) -> None:
        """Update each parameter by its gradient, and release the gradients.

        factor: of the learning rate in the settings, by the schedule.
        """
        for rule in self._rules:
            rule.step(factor)

    def state(self) -> dict[str, torch.Tensor]:
        """Return all that a later step depends on, by name; the tensors are the optimiser's own, but for counters."""
        return {f"{kind}.{name}": tensor for rule in self._rules for kind, name, tensor in rule.memory()}

    @torch.no_grad()
    def restore(self, saved: dict[str, torch.Tensor]) -> None:
        """Continue from the state of an optimiser of the same model and settings."""
        for rule in self._rules:
            rule.restore(saved)


class _Rule(ABC):
    """A rule that updates some parameters; `kinds` are the tensors that it keeps for each of them."""

    kinds: tuple[str, ...] = ()

    def __init__(self, named: list, settings, decay: float):
        self._names, self._parameters = [name for name, _ in named], [p for _, p in named]
        self._settings, self._decay = settings, decay
        self._kept = [[torch.zeros_like(p) for p in self._parameters] for _ in self.kinds]

    def memory(self) -> Iterable[tuple[str, str, torch.Tensor]]:
        for kind, tensors in zip(self.kinds, self._kept, strict=True):
            yield from ((kind, name, tensor) for name, tensor in zip(self._names, tensors, strict=True))

    def restore(self, saved: dict[str, torch.Tensor]) -> None:
        for kind, name, tensor in self.memory():
            tensor.copy_(saved[f"{kind}.{name}"])

    def step(self, factor: float) -> None:
        gradients = [p.grad for p in self._parameters]
        self._update(gradients, factor)
        for p in self._parameters:
            p.grad = None

    @abstractmethod
    def _update(self, gradients: list[torch.Tensor], factor: float) -> None:
        """Update the parameters; may change the gradients in place."""

    def _nesterov(self, gradients: list[torch.Tensor]) -> None:
        """Replace gradients by those of Nesterov's momentum, in place."""
        torch._foreach_mul_(self._kept[0], self._settings.momentum)
        torch._foreach_add_(self._kept[0], gradients)
        torch._foreach_add_(gradients, self._kept[0], alpha=self._settings.momentum)


class _Sgd(_Rule):
    """SGD with Nesterov's momentum (Sutskever et al. 2013) in torch's form; weight decay is part of the gradient."""

    kinds = ("momentum",)
    rate = "learning_rate"

    def _update(self, gradients, factor):
        if self._decay:
            torch._foreach_add_(gradients, self._parameters, alpha=self._decay)
        self._nesterov(gradients)
        torch._foreach_add_(self._parameters, gradients, alpha=-factor * getattr(self._settings, self.rate))


class _OtherSgd(_Sgd):
    """SGD of the parameters that Muon does not update, at a learning rate of their own."""

    rate = "other_learning_rate"


class _AdamW(_Rule):
    """Adam with weight decay outside of the adaptive step (Loshchilov & Hutter 2019)."""

    kinds = ("mean", "square")

    def __init__(self, named, settings, decay):
        super().__init__(named, settings, decay)
        self._n_steps = 0  # no tensor, so that no step reads one

    def memory(self):
        yield from super().memory()
        yield "n_steps", self._names[0], torch.tensor(self._n_steps, dtype=torch.float64)

    def restore(self, saved):
        super().restore(saved)
        self._n_steps = int(saved[f"n_steps.{self._names[0]}"])

    def _update(self, gradients, factor):
        (beta1, beta2), (mean, square) = self._settings.betas, self._kept
        rate, self._n_steps = factor * self._settings.learning_rate, self._n_steps + 1
        torch._foreach_mul_(self._parameters, 1 - rate * self._decay)
        torch._foreach_lerp_(mean, gradients, 1 - beta1)
        torch._foreach_mul_(square, beta2)
        torch._foreach_addcmul_(square, gradients, gradients, 1 - beta2)
        size = torch._foreach_sqrt(square)
        torch._foreach_div_(size, (1 - beta2**self._n_steps) ** 0.5)
        torch._foreach_add_(size, _ADAM_EPSILON)
        torch._foreach_addcdiv_(self._parameters, mean, size, -rate / (1 - beta1**self._n_steps))


class _Muon(_Rule):
    """Momentum whose singular values are all brought near 1 (Jordan et al. 2024); weight decay is outside of it.

    A filter bank (n_out, n_in, h, w) is one matrix of n_out rows.
    """

    kinds = ("momentum",)

    def _update(self, gradients, factor):
        rate = factor * self._settings.learning_rate
        self._nesterov(gradients)
        torch._foreach_mul_(self._parameters, 1 - rate * self._decay)
        for p, gradient in zip(self._parameters, gradients, strict=True):
            rows = gradient.flatten(1)
            scale = max(1.0, rows.shape[0] / rows.shape[1]) ** 0.5
            p.add_(orthogonal(rows, self._settings.n_iterations).view_as(p), alpha=-rate * scale)


def orthogonal(matrix: torch.Tensor, n_iterations: int) -> torch.Tensor:
    """Return about U V^T of a matrix U S V^T, by Newton-Schulz iteration (5 bring S into about [0.7, 1.2])."""
    a, b, c = _NEWTON_SCHULZ
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / (wide.norm() + _TINY)
    for _ in range(n_iterations):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if wide is matrix else x.T


def _of_one_rule(rule):
    def split(matrices, flat, model, settings):
        return [(rule, matrices, settings.weight_decay), (rule, flat, 0.0)]

    return split


def _of_muon(matrices, flat, model, settings):
    """Return the rules with Muon: hidden matrices and filters by Muon, the head, scales and shifts by SGD."""
    head = {name for name, _ in model.named_parameters() if name in model.head_names()}
    hidden, outer = [m for m in matrices if m not in head], [m for m in matrices if m in head]
    return [(_Muon, hidden, settings.weight_decay), (_OtherSgd, outer, settings.weight_decay), (_OtherSgd, flat, 0.0)]


_RULES = {"sgd": _of_one_rule(_Sgd), "adamw": _of_one_rule(_AdamW), "muon": _of_muon}

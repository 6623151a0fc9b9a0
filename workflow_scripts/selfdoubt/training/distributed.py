"""Several processes (ranks) that train one model: how they start, and what they have in common.

Each batch is divided among the ranks: rank r of n takes its images r, r + n, r + 2 n, ..., so that the stream of
batches is the same for every number of ranks. Batch statistics are those of the whole batch.
"""

import os
import sys
from dataclasses import dataclass

import torch
from torch import distributed, nn

from selfdoubt.runtime.errors import UserError


@dataclass(frozen=True)
class Ranks:
    """This process among those that train a model together; alone it is rank 0 of 1."""

    rank: int = 0
    n: int = 1

    @classmethod
    def from_environment(cls) -> "Ranks":
        """Return the rank that torchrun has given to this process."""
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))

    @property
    def first(self) -> bool:
        """Return whether this is the rank that writes files."""
        return self.rank == 0

    def join(self, device: torch.device) -> torch.device:
        """Join the other ranks, and return this one's device: a GPU of its own, or the CPU that all share."""
        if self.n == 1:
            return device
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return device

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return what has to be called in `model`'s place in training, so that gradients are the ranks' mean."""
        if self.n == 1:
            return model
        _synchronise_statistics(model, next(model.parameters()).device)
        return nn.parallel.DistributedDataParallel(model, forward_sync_buffers=False)

    def weight(self, n_here: int, n_all: int) -> float:
        """Return the weight of this rank's mean loss by which the ranks' mean is that of the whole batch."""
        return n_here * self.n / n_all

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Sum a tensor over the ranks, in place, and return it."""
        if self.n > 1:
            distributed.all_reduce(tensor)
        return tensor

    def leave(self) -> None:
        """Leave the other ranks; nothing may be summed after that."""
        if self.n > 1:
            distributed.destroy_process_group()


ALONE = Ranks()


def launch(n: int) -> None:
    """Run this command again as n ranks under torchrun, and exit with it; do nothing if n is 1 or this is a rank."""
    if n == 1 or "RANK" in os.environ:
        return
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun would print a notice that it does so; scripts set theirs
    try:
        run.main(["--standalone", f"--nproc-per-node={n}", *sys.argv])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        raise UserError(f"rank {rank} of {n} failed with exit code {failure.exitcode}; its line is above") from None
    sys.exit()


def _synchronise_statistics(model: nn.Module, device: torch.device) -> None:
    """Make every batch normalisation use the statistics of all ranks' images."""
    if device.type == "cuda":
        from timm.layers import convert_sync_batchnorm  # torch's layers, and timm's with an activation inside

        convert_sync_batchnorm(model)
        return
    for name, module in model.named_modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _SynchronisedBatchNorm
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise UserError(f"several ranks on cpu cannot share the statistics of {type(module).__name__} ({name})")


class _Sum(torch.autograd.Function):
    """The sum of a tensor over the ranks. Every rank uses it, so its gradient is summed too."""

    @staticmethod
    def forward(ctx, tensor: torch.Tensor) -> torch.Tensor:
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        return _Sum.forward(ctx, gradient)


class _SynchronisedBatchNorm(nn.BatchNorm2d):
    """torch.nn.SyncBatchNorm for CPUs, which torch does not support; it has the same parameters and buffers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        given, x = x.dtype, x.float()  # bfloat16 cannot hold sums and counts of many pixels
        sums = _Sum.apply(torch.cat([x.sum((0, 2, 3)), x.new_full((1,), x.numel() / x.shape[1])]))
        mean, n = sums[:-1] / sums[-1], sums[-1].detach()
        centred = x - mean[:, None, None]
        variance = _Sum.apply(centred.square().sum((0, 2, 3))) / n
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * n / (n - 1), self.momentum)
            self.num_batches_tracked.add_(1)
        scale = self.weight / (variance + self.eps).sqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(given)

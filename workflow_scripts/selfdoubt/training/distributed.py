"""Several processes that train one model: who they are, how they start, and what they agree on.

The processes (ranks) share every batch: rank r of n takes its images r, r + n, r + 2 n, ..., so that the stream of
batches is the same for every number of ranks. Batch statistics are those of the whole batch.
"""

import os
import sys

import torch
from torch import distributed, nn

from selfdoubt.runtime.errors import UserError


class Ranks:
    """This process among those that train a model together; without others it is rank 0 of 1."""

    def __init__(self):
        self.rank, self.n = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))

    @property
    def first(self) -> bool:
        """Whether this is the rank that writes files."""
        return self.rank == 0

    def join(self, device: torch.device) -> torch.device:
        """Meet the other ranks, and return this one's device: its own GPU, or the shared processor."""
        if self.n == 1:
            return device
        if device.type == "cuda":
            device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        return device

    def share(self, model: nn.Module) -> nn.Module:
        """Return what is called in `model`'s place in training, so that its gradients are the ranks' mean."""
        if self.n == 1:
            return model
        _share_statistics(model, next(model.parameters()).device)
        return nn.parallel.DistributedDataParallel(model, forward_sync_buffers=False)

    def weight(self, n_here: int, n_all: int) -> float:
        """Return what this rank's mean loss counts, so that the ranks' mean is that of the whole batch."""
        return n_here * self.n / n_all

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the sum over the ranks."""
        if self.n > 1:
            distributed.all_reduce(tensor)
        return tensor

    def leave(self) -> None:
        """Part from the other ranks."""
        if self.n > 1:
            distributed.destroy_process_group()


def launch(n: int) -> None:
    """Run this command again as n ranks under torchrun, and end with it; do nothing if n is 1 or we are one of them."""
    if n == 1 or "RANK" in os.environ:
        return
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun would say at length that it does so; scripts set theirs
    try:
        run.main(["--standalone", f"--nproc-per-node={n}", *sys.argv])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        raise UserError(f"rank {rank} of {n} failed with exit code {failure.exitcode}; its line is above") from None
    sys.exit()


def _share_statistics(model: nn.Module, device: torch.device) -> None:
    """Let every batch normalisation use the statistics of all ranks' images."""
    if device.type == "cuda":
        from timm.layers import convert_sync_batchnorm  # torch's own, and timm's norms with an activation inside

        convert_sync_batchnorm(model)
        return
    for name, module in model.named_modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = _SharedBatchNorm
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise UserError(f"several ranks on cpu cannot share the statistics of {type(module).__name__} ({name})")


class _Sum(torch.autograd.Function):
    """The sum of a tensor over the ranks, each of which uses it: so the gradient is a sum too."""

    @staticmethod
    def forward(ctx, tensor: torch.Tensor) -> torch.Tensor:
        total = tensor.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, gradient: torch.Tensor) -> torch.Tensor:
        return _Sum.forward(ctx, gradient)


class _SharedBatchNorm(nn.BatchNorm2d):
    """torch.nn.SyncBatchNorm for processors, which it does not support; the same parameters and buffers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training:
            return super().forward(x)
        given, x = x.dtype, x.float()  # sums and counts of many pixels are not for bfloat16
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

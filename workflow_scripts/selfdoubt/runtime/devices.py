"""The device, threads, precision and memory allocator of a job."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch

from selfdoubt.runtime import gpu_leases
from selfdoubt.runtime.errors import UserError, lacks_memory
from selfdoubt.runtime.threads import keep_freed_memory

_KEEP_BYTES = 512 << 20


def prepare(device: str, threads: int) -> torch.device:
    """Set the threads and the numerics of this process, and return the device to compute on.

    device: "auto" (cuda if available, else cpu), "cpu" or "cuda". threads: of each operation; they decide the last bits
    of a sum, so they come from the recipe and not from the machine.
    Raises UserError if cuda is required but not available, or if torch cannot use the leased GPU.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when CUDA starts; needed to repeat a run
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("warn")  # use_deterministic_algorithms would import the compiler: seconds a job
    torch.utils.deterministic.fill_uninitialized_memory = (
        False  # it costs time, and nothing reads what it did not write
    )
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False  # float32 is not rounded to 10 bits
    keep_freed_memory(trim_above=_KEEP_BYTES, map_above=_KEEP_BYTES)
    if device == "cpu" or torch.cuda.is_available():
        return torch.device("cuda" if device == "auto" else device)
    if gpu_leases.leased():
        raise UserError(_unusable(device))
    if device == "cuda":
        raise UserError("device: cuda, but this machine has none; use auto or cpu")
    return torch.device("cpu")


def _unusable(device: str) -> str:
    """Return the message about a leased GPU that torch cannot use."""
    installed = f"torch for CUDA {torch.version.cuda}" if torch.version.cuda else "a torch without CUDA"
    remedy = "update the driver; or compute on the processor: device: cpu, or CUDA_VISIBLE_DEVICES= before the command"
    return f"device: {device}: GPU {gpu_leases.leased()} was leased, and {installed} cannot use it; {remedy}"


def describe(device: torch.device, precision: str, threads: int) -> str:
    """Return a line for the job's log: device, precision and threads."""
    name = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    return f"device={device}{name} precision={precision} threads={threads}"


def precision_on(device: torch.device, precision: str) -> str:
    """Return "bfloat16" or "float32" for a recipe's precision; "auto" is bfloat16 where hardware has it.

    A CPU without bfloat16 instructions emulates them some fifty times slower than float32.
    """
    if precision != "auto":
        return precision
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bfloat16" if fast else "float32"


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a CPU tensor on a device; a copy to a GPU is asynchronous and does not wait for the GPU's earlier work."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


def autocast(device: torch.device, precision: str):
    """Return the autocast context for a precision, as returned by `precision_on`."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


@contextmanager
def out_of_memory_as_user_error(setting: str) -> Iterator[None]:
    """Raise UserError if the block runs out of memory; setting: the key and value to lower."""
    try:
        yield
    except RuntimeError as error:  # torch.OutOfMemoryError is one
        if lacks_memory(error):
            raise UserError(f"out of memory; lower {setting}") from None
        raise

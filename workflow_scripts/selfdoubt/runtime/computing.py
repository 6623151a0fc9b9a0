"""The device and the threads of a job that runs trained models."""

import torch

from selfdoubt.runtime import devices


def prepare(settings) -> torch.device:
    """Set the threads and the numerics of this process, and return the device to compute on.

    settings: `computing`, which is taken out of them, has device and threads; without it they are auto and 1.
    """
    own = vars(settings).pop("computing", None)
    device, threads = (own.device, own.threads) if own else ("auto", 1)
    return devices.prepare(device, threads)

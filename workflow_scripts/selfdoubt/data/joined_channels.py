"""The bytes of a pixel as one number: what moves pixels then moves a half, a quarter or an eighth as many."""

import torch

_NUMBERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}  # by the bytes of a pixel


def join(pixels: torch.Tensor) -> torch.Tensor:
    """View uint8 (..., C), its last axis dense, as (..., 1) of one integer a pixel where C is 2, 4 or 8.

    Of other C, of other dtypes and where pixels do not begin at multiples of C bytes, as of empty batches, they are
    returned as they are. The integers have no meaning of their own.
    """
    n_bytes = pixels.shape[-1]
    apart = pixels.numel() and all(stride % n_bytes == 0 for stride in pixels.stride()[:-1])
    return pixels.view(_NUMBERS[n_bytes]) if apart and pixels.dtype == torch.uint8 and n_bytes in _NUMBERS else pixels


def split(joined: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return what `join` made of pixels of a dtype as pixels again, (..., C)."""
    if joined.dtype == dtype:  # as it is: gradients go through no view of a dtype
        return joined
    if not joined.numel():  # whose strides may be 0
        joined = torch.empty_like(joined, memory_format=torch.contiguous_format)
    return joined.view(dtype)

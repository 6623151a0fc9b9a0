"""Masks as rows of bits, so that areas of many translations are counted with a thirtieth of the operations."""

import torch

_WORD = 32  # bits


def pack(masks: torch.Tensor) -> torch.Tensor:
    """Pack bool (b, H, W) into int64 (b, H, words), column x in bit x % 32 of word x // 32."""
    words = torch.nn.functional.pad(masks, [0, -masks.shape[2] % _WORD]).unflatten(2, (-1, _WORD))
    return (words.double() @ 2.0 ** torch.arange(_WORD, device=masks.device).double()).long()  # exact up to 2^53


def translate(words: torch.Tensor, shifts: torch.Tensor, width: int) -> torch.Tensor:
    """Shift what `pack` returned by (b, K, 2) pixels, zeros moving in; return (b, K, H, words)."""
    n, height, n_words = words.shape
    device, each = words.device, torch.arange(n, device=words.device)[:, None, None, None]
    rows = torch.arange(height, device=device) - shifts[..., :1]  # (b, K, H)
    inside = ((rows >= 0) & (rows < height))[..., None]
    rows = rows.clamp(0, height - 1)[..., None]
    bits = shifts[..., 1, None, None]  # (b, K, 1, 1)
    padded = torch.nn.functional.pad(words, [n_words + 2, n_words + 2])
    columns = torch.arange(n_words, device=device) + n_words + 2 - bits.div(_WORD, rounding_mode="floor")
    rest = bits.remainder(_WORD)
    moved = (padded[each, rows, columns] << rest) | (padded[each, rows, columns - 1] >> (_WORD - rest))
    whole = pack(torch.ones(1, 1, width, dtype=torch.bool, device=device))  # bits beyond the edge are dropped
    return moved * inside & whole


def n_bits(words: torch.Tensor) -> torch.Tensor:
    """Return how many of the lower 32 bits are set: sums of 2, 4 and 8 bits, side by side."""
    words = words - (words >> 1 & 0x55555555)
    words = (words & 0x33333333) + (words >> 2 & 0x33333333)
    return ((words + (words >> 4) & 0x0F0F0F0F) * 0x01010101 >> 24) & 0xFF

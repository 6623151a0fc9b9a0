"""Masks as rows of bits, so that areas of many translations are counted with a thirtieth of the operations."""

import torch

_WORD = 32  # bits
_LOWER = 0xFFFFFFFF  # a word of an int64


def pack(masks: torch.Tensor) -> torch.Tensor:
    """Pack bool (b, H, W) into int64 (b, H, words), column x in bit x % 32 of word x // 32."""
    words = torch.nn.functional.pad(masks, [0, -masks.shape[2] % _WORD]).unflatten(2, (-1, _WORD))
    return (words.double() @ 2.0 ** torch.arange(_WORD, device=masks.device).double()).long()  # exact up to 2^53


def translate(words: torch.Tensor, shifts: torch.Tensor, width: int) -> torch.Tensor:
    """Shift what `pack` returned by (b, K, 2) pixels, of at most a side, zeros moving in; return (b, K, H, words)."""
    n, height, n_words = words.shape
    padded = torch.nn.functional.pad(words, [n_words + 2, n_words + 2, 1, 1])
    pairs = padded[..., 1:] << _WORD | padded[..., :-1]  # each word above the one to its left
    n_rows, n_pairs = pairs.shape[1:]
    each, rows, columns = (torch.arange(length, device=words.device) for length in (n, height, n_words))
    rows = (rows + 1 - shifts[..., :1]).clamp(0, height + 1) + each[:, None, None] * n_rows  # (b, K, H)
    columns = columns + n_words + 1 - shifts[..., 1:].div(_WORD, rounding_mode="floor")  # (b, K, words)
    places = rows[..., None] * n_pairs + columns[:, :, None]
    found = pairs.flatten().index_select(0, places.flatten()).view_as(places)
    moved = found >> _WORD - shifts[..., 1, None, None].remainder(_WORD)
    return moved & pack(torch.ones(1, 1, width, dtype=torch.bool, device=words.device))  # not those beyond the edge


def areas(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how many bits of two (..., H, words), of 32 bits a word, are set, each (...).

    Both are counted at once, one in the upper half of an int64, by sums of 2, 4, 8, ... bits side by side.
    """
    words = second << _WORD | first
    words = words - (words >> 1 & 0x5555555555555555)
    words = (words & 0x3333333333333333) + (words >> 2 & 0x3333333333333333)
    words = words + (words >> 4) & 0x0F0F0F0F0F0F0F0F
    words = words + (words >> 8)
    words = words + (words >> 16) & 0x0000003F0000003F
    summed = words.sum((-2, -1))
    return summed & _LOWER, summed >> _WORD

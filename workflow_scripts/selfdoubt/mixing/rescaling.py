"""Objects at another size, as whole batches."""

import torch
from torch.nn import functional as F


def rescale(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """Return images with the object's box in the middle, to half a pixel, and its sides `factor` (b,) times as long.

    The image is resampled bilinearly, and the mask by its nearest pixel. A factor whose object would not fit into the
    image is lowered until it does. Images without an object stay in place.

    images: uint8 (b, C + 1, H, W), the last channel the mask.
    """
    masks, size = images[:, -1] > 0, images.shape[2:]
    spans = [_span(masks.any(axis)) for axis in (2, 1)]  # of rows, of columns
    lengths = [stop - start for start, stop in spans]
    for length, whole in zip(lengths, size, strict=True):
        factor = torch.minimum(factor, whole / length)
    places = []  # in the source, of each row and column, in units of half the image from its middle
    for (start, stop), whole in zip(spans, size, strict=True):
        middle = (start + stop)[:, None] / 2
        shift = (whole / 2 - middle).floor()  # of whole pixels, so that a factor of 1 keeps them
        pixels = torch.arange(whole, device=images.device) + 0.5
        at = (pixels - middle - shift) / factor[:, None] + middle  # (b, whole)
        places.append((2 * at / whole - 1).float())
    rows, columns = places[0][:, :, None], places[1][:, None, :]
    grid = torch.stack(torch.broadcast_tensors(columns, rows), 3)  # (b, H, W, 2)
    own, mask = images[:, :-1].float(), images[:, -1:].float()
    moved = F.grid_sample(own, grid, mode="bilinear", align_corners=False, padding_mode="border")
    found = F.grid_sample(mask, grid, mode="nearest", align_corners=False)
    return torch.cat([moved.round().clamp(0, 255), found], 1).to(images.dtype)


def _span(occupied: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where the True of each row of bool (b, L) begin, and where they end; all of it without any. Both (b,)."""
    length, flags = occupied.shape[1], occupied.int()
    any_ = occupied.any(1)
    first = torch.where(any_, flags.argmax(1), 0)
    return first, torch.where(any_, length - flags.flip(1).argmax(1), length)

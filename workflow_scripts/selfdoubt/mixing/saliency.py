"""How much each pixel differs from what surrounds it, as batched tensor code.

SaliencyMix takes OpenCV's fine-grained saliency (Montabone & Soto 2010): differences in brightness between a pixel and
the mean of windows around it, of several sizes. This is that idea without the library: both signs of the difference
count alike, and means are products with band matrices, which cost less than integral images do on small images.
"""

import torch

_RADII_PX = (1, 2, 4, 8, 16, 32)  # of the windows, as far as they are narrower than the image


def saliency(images: torch.Tensor) -> torch.Tensor:
    """Return the centre-surround contrast of uint8 images (b, C, H, W): float32 (b, H, W), 0 where all is alike.

    Sum over windows of |brightness - its mean in the window around it|, brightness being the mean of the channels and
    windows being cut off at the border.
    """
    brightness = images.float().mean(1)
    found = torch.zeros_like(brightness)
    height, width = brightness.shape[1:]
    for radius in [r for r in _RADII_PX if 2 * r < min(height, width)]:
        rows, columns = (_band(length, radius, images.device) for length in (height, width))
        found += (brightness - rows @ brightness @ columns.T).abs()
    return found


def _band(length: int, radius: int, device: torch.device) -> torch.Tensor:
    """Return (length, length) weights: row i takes the mean of what is at most `radius` from place i."""
    place = torch.arange(length, device=device)
    near = ((place - place[:, None]).abs() <= radius).float()
    return near / near.sum(1, keepdim=True)

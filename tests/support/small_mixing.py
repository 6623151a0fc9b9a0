"""What tests of mixing share: settings, images and draws."""

from types import SimpleNamespace

import numpy as np
import torch

from selfdoubt.mixing.draws import Mixing

SETTINGS = {  # of every method
    "mixup": {"alpha": 1.0},
    "cutmix": {"beta": 1.0},
    "resizemix": {"min_scale": 0.1, "max_scale": 0.8},
    "saliency-mix": {"beta": 1.0},
    "oa-cutmix": {"beta": 1.0, "labels": "object-area"},
    "mask-cutmix": {"n_placements": 4, "labels": "object-area"},
    "cutmix-matched": {"n_placements": 4, "labels": "object-area"},
    "mask-cutmix-scaled": {"beta": 1.0, "n_placements": 4, "labels": "object-area"},
    "copy-paste": {"min_scale": 0.5, "max_scale": 2.0, "labels": "object-area"},
    "background-swap": {"dilate_px": 0, "feather_px": 0, "background": "painted"},
    "object-mixup": {"alpha": 1.0, "dilate_px": 0},
}
WHOLE_LABELS = ("background-swap",)
BY_MASKS = (
    "oa-cutmix",
    "mask-cutmix",
    "cutmix-matched",
    "mask-cutmix-scaled",
    "copy-paste",
    "object-mixup",
    *WHOLE_LABELS,
)


def settings_of(method: str, **values) -> SimpleNamespace:
    return SimpleNamespace(method=method, **{"probability": 0.5, **SETTINGS[method], **values})


def random_images(seed: int, n: int = 16, channels: int = 3, size_px: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(1, 256, (n, channels, size_px, size_px), np.uint8))


def with_mask(images: torch.Tensor, mask) -> torch.Tensor:
    masks = torch.as_tensor(mask).expand(len(images), 1, *images.shape[2:])
    return torch.cat([images, masks.to(torch.uint8)], 1)


def mixing_of(kept: float = 1.0, centre=(0, 0), corner=(0.0, 0.0), placements=((0, 0),)) -> Mixing:
    """The draws of one image."""
    one, none = torch.ones(1, dtype=torch.bool), torch.zeros(1, dtype=torch.int64)
    drawn = {"kept": kept, "centre": centre, "corner": corner}
    floats = {name: torch.tensor([value], dtype=torch.float64) for name, value in drawn.items()}
    floats["centre"] = floats["centre"].long()
    return Mixing(one, none, **floats, placements=torch.tensor([placements]))

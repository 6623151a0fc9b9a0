"""Small transformations of images by the parameters theta of each: affine maps, and smooth displacement fields.

T_theta x(p) = x(u(p; theta)): the pixel at p is sampled at the place u of the image, bicubically, black beyond the edge
(spatial transformers: Jaderberg et al. 2015; flows as attacks: Xiao et al. 2018). Places are in pixels from the centre,
rightwards and downwards. theta = 0 is the identity.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

AFFINE = ("shift_x", "shift_y", "rotation", "log_scale", "shear")  # px, px, radians, log of a factor, px a px
_SLOPE = 0.75  # of grid_sample's bicubic kernel at a pixel: its parts at the two neighbours, one of them negative


def affine_places(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the places (n, H, W, 2) that affine maps sample, for theta (n, 5) of `AFFINE`.

    Contents are rotated clockwise, sheared rightwards by `shear` for each pixel down, enlarged, then shifted.
    """
    shift, (rotation, log_scale, shear) = theta[:, :2], theta[:, 2:].T
    moved = (_centred(size, theta) - shift[:, None, None]) * torch.exp(-log_scale)[:, None, None, None]
    x, y = moved.unbind(-1)
    x = x - shear[:, None, None] * y
    cos, sin = torch.cos(rotation)[:, None, None], torch.sin(rotation)[:, None, None]
    return torch.stack([cos * x + sin * y, cos * y - sin * x], dim=-1)


def flow_places(theta: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the places (n, H, W, 2) that a field samples, for theta (n, 2, g, g): x and y of g x g displacements, px.

    The displacement of a pixel is interpolated linearly between those of the grid, whose corners are the image's, so
    that none exceeds the largest of theta.
    """
    rows, columns = (_between(theta.shape[-1], length, theta) for length in size)
    field = rows @ theta @ columns.T  # (n, 2, H, W)
    return _centred(size, theta) - field.movedim(1, -1)


def sample(images: Tensor, places: Tensor) -> Tensor:
    """Return images (n, C, H, W) sampled at places (n, H, W, 2), clamped to [0, 1]."""
    half = torch.tensor(images.shape[:1:-1], dtype=images.dtype, device=images.device) / 2  # (W, H) / 2
    return F.grid_sample(images, places / half, mode="bicubic", padding_mode="zeros", align_corners=False).clamp(0, 1)


def theta_gradient(images: Tensor, pixel_gradient: Tensor, theta: Tensor, places_of) -> Tensor:
    """Return the gradient with respect to theta, at theta = 0, of a function of T_theta x.

    images, pixel_gradient: (n, C, H, W); the function's gradient with respect to the pixels of x. theta: zeros.
    places_of: `affine_places` or `flow_places`. By the chain rule, with slopes of the sampled image at its pixels,
    where those of bilinear sampling would depend on rounding; exact but for the clamp of `sample`.
    """
    padded = F.pad(images, [1, 1, 1, 1])
    right = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    by_place = _SLOPE * torch.stack([(pixel_gradient * slope).sum(1) for slope in (right, down)], dim=-1)
    with torch.enable_grad():
        theta = theta.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(places_of(theta, tuple(images.shape[2:])), theta, by_place)
    return gradient


def _centred(size: tuple[int, int], like: Tensor) -> Tensor:
    """Return the place of each pixel (H, W, 2), x then y."""
    y, x = (torch.arange(n, dtype=like.dtype, device=like.device) - (n - 1) / 2 for n in size)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)


def _between(n_points: int, length: int, like: Tensor) -> Tensor:
    """Return the weights (length, n_points) of linear interpolation between points from the first pixel to the last."""
    at = torch.linspace(0, n_points - 1, length, dtype=like.dtype, device=like.device)
    points = torch.arange(n_points, dtype=like.dtype, device=like.device)
    return (1 - (at[:, None] - points).abs()).clamp(min=0)

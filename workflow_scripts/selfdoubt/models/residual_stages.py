"""What the residual networks for small images have in common: three stages of n blocks and their first weights.

ImageNet's ResNets are not here: timm has them.
"""

from torch import nn

WIDTHS = (16, 32, 64)
NAMES = ("stages.0", "stages.1", "stages.2")  # of the stages as submodules of a network


def stages(block: type, n: int, widths, *options) -> nn.Sequential:
    """Return three stages of n blocks; the second and the third halve the maps.

    block: called with channels in, channels out, stride and `options`. widths: channels of each stage.
    """
    found = []
    for stage, (n_in, n_out) in enumerate(zip([WIDTHS[0], *widths], widths, strict=False)):
        first = block(n_in, n_out, 1 if stage == 0 else 2, *options)
        found.append(nn.Sequential(first, *[block(n_out, n_out, 1, *options) for _ in range(n - 1)]))
    return nn.Sequential(*found)


def convolution(n_in: int, n_out: int, stride: int = 1) -> nn.Conv2d:
    """Return a 3 x 3 convolution without bias that keeps the size, or divides it by the stride."""
    return nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)


def initialise(module: nn.Module) -> None:
    """Draw a convolution's weights as both papers do: He et al., "Delving deep into rectifiers", ICCV 2015."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

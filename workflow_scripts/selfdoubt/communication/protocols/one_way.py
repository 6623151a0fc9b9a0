"""One-way: messages of one sender to one listener, whose own probabilities are the prior.

The sender may be the listener: the control, since no other model is involved.
"""

from torch import nn

from selfdoubt.communication import gains
from selfdoubt.communication.decisions import Decision


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the listener's probabilities and its gains by the sender's messages."""
    return gains.decide(models, [settings.sender], [settings.listener], splits, settings, seed)

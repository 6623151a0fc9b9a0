"""Persuasion: members send messages to all others, whose gains are added to the mean's log probabilities.

All members send and listen. Where some are named as `senders`, these send and do no more, and the others listen and
decide: so a group may hear a member that is no good at classifying.
"""

from torch import nn

from selfdoubt.communication import gains
from selfdoubt.communication.decisions import Decision
from selfdoubt.runtime.errors import UserError


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the listeners' mean probability and what each gains by the messages of the others.

    Raises UserError if there is but one member.
    """
    if len(models) < 2:
        raise UserError(f"groups: persuasion needs a listener besides '{', '.join(models)}'; add a member")
    alone = getattr(settings, "senders", None) or []
    listeners = [name for name in models if name not in alone]
    return gains.decide(models, alone or [*models], listeners, splits, settings, seed)

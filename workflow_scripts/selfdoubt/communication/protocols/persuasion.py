"""Persuasion: every member sends messages to all others, whose gains are added to the mean's log probabilities."""

from torch import nn

from selfdoubt.communication import gains
from selfdoubt.communication.decisions import Decision
from selfdoubt.runtime.errors import UserError


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the members' mean probability and what each gains by the messages of the others.

    Raises UserError if there is but one member.
    """
    if len(models) < 2:
        raise UserError(f"groups: persuasion needs a listener besides '{', '.join(models)}'; add a member")
    return gains.decide(models, [*models], [*models], splits, settings, seed)

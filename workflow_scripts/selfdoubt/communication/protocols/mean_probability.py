"""Mean probability: the mean of the members' softmax outputs, the linear opinion pool (Stone 1961)."""

from selfdoubt.communication.combining import Combined, Members
from selfdoubt.communication.probabilities import mean_probability


def decide(members: Members, settings) -> Combined:
    """Return the log of the members' mean softmax."""
    return Combined(mean_probability(members.logits), {})

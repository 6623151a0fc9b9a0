"""The largest minus the second largest logit."""

from selfdoubt.evaluation.rankings import without_noise


def score(softmax):
    """Return the difference, (n,), >= 0."""
    return without_noise(-softmax.second)

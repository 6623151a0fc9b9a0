"""The logit of the predicted class minus the largest of the others."""

from selfdoubt.evaluation.rankings import round_to_tie


def score(softmax):
    """Return the difference, (n,); below 0 where the reported class is not the top one."""
    found = -softmax.second
    found[softmax.moved] = softmax.shift
    return round_to_tie(found)

"""The logit of the predicted class, which is mostly the largest one (Hendrycks et al. 2022)."""

UNDEFINED_FOR_PROBABILITIES = "the logits are logarithms of probabilities, whose largest is msp itself"


def score(softmax):
    """Return the logit of the reported class, (n,)."""
    if not len(softmax.moved):
        return softmax.top
    found = softmax.top.copy()
    found[softmax.moved] += softmax.shift
    return found

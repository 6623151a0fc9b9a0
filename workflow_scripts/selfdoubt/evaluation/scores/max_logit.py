"""The largest logit (Hendrycks et al. 2022)."""

UNDEFINED_FOR_PROBABILITIES = "the logits are logarithms of probabilities, whose largest is msp itself"


def score(softmax):
    """Return the largest logit, (n,)."""
    return softmax.top

"""Negative entropy of the mean softmax of several passes with dropout on (Gal & Ghahramani 2016).

The passes need the network, so `predict` makes them, and the confidence is a column of the predictions.
"""

COLUMN = "mc_dropout"
WITHOUT_COLUMN = "the model has no dropout, or made no stochastic passes"

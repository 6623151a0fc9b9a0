"""Enhancers change a model's input at test time, so that its confidence says more about its being right.

An enhancer keeps the label of the clean image, and then reports it beside its logits, or it answers anew.
Every setting that is a list is chosen on `val`; the placebo is chosen in the same way as what it stands against.

Left out: "no change" as a candidate. It would let a harmful method hide behind its own baseline.
"""

from selfdoubt.enhancers.batches import Answer, Batch
from selfdoubt.enhancers.choosing import Enhanced, Examples, candidates, choose, enhance, examples

__all__ = ["Answer", "Batch", "Enhanced", "Examples", "candidates", "choose", "enhance", "examples"]

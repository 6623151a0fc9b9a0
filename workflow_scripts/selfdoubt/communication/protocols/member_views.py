"""Member views: the mean probability over views of the member that is most accurate on val; no other is run on test."""

import numpy as np
from torch import nn

from selfdoubt.communication.decisions import Decision, predict_clean
from selfdoubt.communication.protocols.best_member import best_of
from selfdoubt.communication.views import mean_over_views
from selfdoubt.models import inference
from selfdoubt.runtime import randomness


def decide(models: dict[str, nn.Module], splits: dict, settings, seed: int) -> Decision:
    """Decide by the best member's mean probability over `n_views` views of every image, for as many forwards.

    Raises Undefined if val has no images, or logits that are not finite.
    """
    val = predict_clean(models, splits["val"])
    best = best_of([*val.values()], splits["val"].labels)
    name, model = [*models.items()][best]
    logits = {}
    for split, of_split in splits.items():
        clean = val[name] if split == "val" else inference.predict_logits(model, of_split.images)
        generator = randomness.generator(seed, f"views/{split}", best)
        viewed = mean_over_views(model, of_split.images, clean, settings, generator)
        logits[split] = viewed.astype(np.float32)
    costs = {"forwards": float(settings.n_views), "backwards": 0.0}
    return Decision(logits, None, [], costs, chosen={"member": best})

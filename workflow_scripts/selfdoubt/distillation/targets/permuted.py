"""Targets without likeness of classes: all but the largest probability permuted (DKPP: Furlanello et al. 2018)."""

from selfdoubt.distillation.indices import other_classes, permutations
from selfdoubt.runtime import randomness


def transform(teacher_logits, batch, settings, seed: int):
    """Permute the logits (b, K) of all classes but the predicted one.

    settings: `permutation`, "per-sample", drawn again for each view, or "fixed", one for each predicted class, drawn
    once. Either way the largest probability, its class and the entropy stay as they were.
    """
    n_others = teacher_logits.shape[1] - 1
    top = teacher_logits.argmax(1)
    if settings.permutation == "fixed":
        drawn = randomness.generator(seed, "permuted-classes").random((n_others + 1, n_others))
        moved = permutations(drawn, teacher_logits.device)[top]
    else:
        drawn = randomness.uniform_rows(seed, "permuted-answers", batch.epoch, batch.rows, n_others)
        moved = permutations(drawn, teacher_logits.device)
    rest = other_classes(top, n_others + 1)
    return teacher_logits.scatter(1, rest, teacher_logits.gather(1, rest.gather(1, moved)))

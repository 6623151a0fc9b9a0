"""Which images are trained on, tuned on and tested on.

A source's official splits are kept. Missing ones are drawn from its training images, stratified by class, with
generators named by the settings' split_seed: test first, then val. So val is held out of train in every case.
"""

import numpy as np

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError

Chosen = tuple[str, np.ndarray]  # a pool's name, and positions in it, ascending


def choose(labels: dict[str, np.ndarray], class_names: list[str], settings) -> dict[str, Chosen]:
    """Return train, val and test as positions in a source's pools.

    labels: (n,) of each pool. settings: val_fraction and test_fraction (of the pool "train"), and split_seed.
    Raises UserError if there is but one class, or if a class would be missing in a split.
    """
    if len(class_names) < 2:
        raise UserError(f"the data set has one class ('{class_names[0]}'); add one, since a classifier needs two")
    chosen = {name: (name, np.arange(len(of))) for name, of in labels.items()}
    for split, fraction in (("test", settings.test_fraction), ("val", settings.val_fraction)):
        if split not in chosen:
            left = chosen["train"][1]
            drawn = stratified(labels["train"], left, fraction, randomness.generator(settings.split_seed, split))
            chosen[split], chosen["train"] = ("train", drawn), ("train", np.setdiff1d(left, drawn))
    for split, (pool, positions) in chosen.items():
        _check_classes(split, labels[pool][positions], class_names)
    return {split: chosen[split] for split in ("train", "val", "test")}


def stratified(labels: np.ndarray, left: np.ndarray, fraction: float, draws: np.random.Generator) -> np.ndarray:
    """Draw a fraction of each class from the positions that are left: at least one image, but never the last one."""
    drawn = []
    for label in np.unique(labels[left]):
        members = left[labels[left] == label]
        n = min(max(1, round(fraction * len(members))), len(members) - 1)
        drawn.append(draws.choice(members, n, replace=False))
    return np.sort(np.concatenate(drawn))


def _check_classes(split: str, labels: np.ndarray, class_names: list[str]) -> None:
    missing = np.setdiff1d(np.arange(len(class_names)), labels)
    if len(missing):
        name = class_names[missing[0]]
        more = f" (nor {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UserError(f"class '{name}'{more} has no image in {split}; give it more images, or leave it out")

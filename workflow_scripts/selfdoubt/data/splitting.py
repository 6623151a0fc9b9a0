"""Which images are trained on, tuned on and tested on.

A source's official splits are kept. Missing ones are drawn from its training images, stratified by class, with
generators named by the settings' split_seed: test first, then val. So val is held out of train in every case. For
networks that others trained on all of train, val can be drawn from the official test images instead.
"""

import numpy as np

from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError

Chosen = tuple[str, np.ndarray]  # a pool's name, and positions in it, ascending


def choose(labels: dict[str, np.ndarray], class_names: list[str], settings) -> dict[str, Chosen]:
    """Return train, val and test as positions in a source's pools.

    labels: (n,) of each pool. settings: test_fraction (of the pool "train"), val_fraction (of that, or of the pool
    "test" if val_from is that), and split_seed.
    Raises UserError if there is but one class, if a class would be missing in a split, or if val cannot come from test.
    """
    if len(class_names) < 2:
        raise UserError(f"the data set has one class ('{class_names[0]}'); add one, since a classifier needs two")
    chosen = {name: (name, np.arange(len(of))) for name, of in labels.items()}
    val_from = getattr(settings, "val_from", "train")
    if val_from == "test" and ("val" in labels or "test" not in labels):
        found = "the source has val images" if "val" in labels else "the source has no test images"
        raise UserError(f"val_from: test, but {found}; remove it")
    for split, pool, fraction in (("test", "train", settings.test_fraction), ("val", val_from, settings.val_fraction)):
        if split not in chosen:
            left = chosen[pool][1]
            drawn = stratified(labels[pool], left, fraction, randomness.generator(settings.split_seed, split))
            chosen[split], chosen[pool] = (pool, drawn), (pool, np.setdiff1d(left, drawn))
    if (n := getattr(settings, "test_images", None)) is not None:
        chosen["test"] = (chosen["test"][0], _first(n, labels[chosen["test"][0]], chosen["test"][1]))
    for split, (pool, positions) in chosen.items():
        _check_classes(split, labels[pool][positions], class_names)
    return {split: chosen[split] for split in ("train", "val", "test")}


def balanced_order(labels: np.ndarray, seed: int, purpose: str) -> np.ndarray:
    """Return the positions of labels (n,) in an order in which classes alternate by their size, at random within each.

    The j-th of m images of a class stands at (j + 1/2) / m of the way, so that the classes of any first images are
    apportioned by Webster's method: whole where the proportions allow it, and else nearly.
    """
    way = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place = randomness.generator(seed, purpose, int(label)).permutation(len(members))
        way[members] = (place + 0.5) / len(members)
    return np.lexsort((labels, way))


def stratified(labels: np.ndarray, left: np.ndarray, fraction: float, draws: np.random.Generator) -> np.ndarray:
    """Draw a fraction of each class from the positions that are left: at least one image, but never the last one."""
    drawn = []
    for label in np.unique(labels[left]):
        members = left[labels[left] == label]
        n = min(max(1, round(fraction * len(members))), len(members) - 1)
        drawn.append(draws.choice(members, n, replace=False))
    return np.sort(np.concatenate(drawn))


def _first(n: int, labels: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return n test images, ascending, in the proportions of their classes; raises UserError if there are fewer."""
    if n > len(positions):
        raise UserError(f"test_images: {n}, but the test split has {len(positions)}; lower it")
    order = balanced_order(labels[positions], 0, "test-images")
    return np.sort(positions[order[:n]])


def _check_classes(split: str, labels: np.ndarray, class_names: list[str]) -> None:
    missing = np.setdiff1d(np.arange(len(class_names)), labels)
    if len(missing):
        name = class_names[missing[0]]
        more = f" (nor {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise UserError(f"class '{name}'{more} has no image in {split}; give it more images, or leave it out")

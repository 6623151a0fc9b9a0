"""How often two arms that do not differ are called different: by paired_comparison, and by a bootstrap over replicates.

    python benchmarks/levels.py        # a few minutes; docs/decisions/0015 has what it printed

A trial draws the effect of each image that is common to all replicates, that of each replicate on each image, and the
difference of each replicate on all images. The spread of the last is given in standard errors of the first.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))

from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.paired_tests import Estimate, paired_comparison, two_sided_p
from selfdoubt.runtime.randomness import generator

N_REPLICATES, SPREADS = (2, 3, 5), (0, 1, 2, 5, 100)
N_TRIALS, N_IMAGES, N_RESAMPLES = 2000, 200, 300
OF_EACH_REPLICATE = 0.5  # standard deviation of a replicate's own effect of an image; the common one has 1


def trial(draws: np.random.Generator, weights: np.ndarray, n_replicates: int, spread: float) -> tuple[bool, bool]:
    """Return whether each way calls a difference of nothing real, p < 0.05."""
    images = draws.normal(size=N_IMAGES) + OF_EACH_REPLICATE * draws.normal(size=(n_replicates, N_IMAGES))
    differences = images + spread / np.sqrt(N_IMAGES) * draws.normal(size=(n_replicates, 1))
    resampled = differences @ weights
    nothing = Estimate(0.0, np.zeros(N_RESAMPLES))
    found = paired_comparison([(Estimate(d.mean(), r), nothing) for d, r in zip(differences, resampled, strict=True)])
    drawn = draws.integers(n_replicates, size=resampled.shape)
    of_replicates = two_sided_p(np.take_along_axis(resampled, drawn, axis=0).mean(0))
    return found["p"] < 0.05, of_replicates < 0.05


def main() -> None:
    weights = np.concatenate([draw() for draw in resample_weights(N_IMAGES, N_RESAMPLES, "levels")]).T / N_IMAGES
    print(f"{N_TRIALS} trials each; called different, of arms that are not:")
    print("replicates  spread over replicates  paired_comparison  bootstrap over replicates, then samples")
    for n_replicates, spread in product(N_REPLICATES, SPREADS):
        draws = generator(0, "levels", n_replicates, spread)
        ours, theirs = np.mean([trial(draws, weights, n_replicates, spread) for _ in range(N_TRIALS)], axis=0)
        print(f"{n_replicates:10} {spread:18} {ours:18.1%} {theirs:35.1%}", flush=True)


if __name__ == "__main__":
    main()

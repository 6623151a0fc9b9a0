"""Level and power of the comparisons: how often what is not there is called supported, or a margin negligible.

    python benchmarks/levels.py        # a few minutes; docs/decisions/0015 and 0019 have what it printed

The first table draws test images: an effect of each that is common to all replicates, that of each replicate on each
image, and the difference of each replicate on all images, whose spread is given in standard errors of the first. Beside
it stands a bootstrap over replicates, then images. The second has the spread that the pilots found for distillation
against cross-entropy on 10,000 test images, in thousandths of AURC: 2.4 over replicates, an error of .65 of one
replicate from the images, of which a fraction of .13 is common to replicates. The third is of sequential studies.
"""

import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))

from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.contrasts import Contrast, Estimate, contrast
from selfdoubt.evaluation.power import n_for_difference, n_for_equivalence
from selfdoubt.runtime.randomness import generator
from selfdoubt.settings.looks import NOMINAL

N_REPLICATES, SPREADS = (2, 3, 5, 10), (0, 1, 2, 5, 100)
N_TRIALS, N_IMAGES, N_RESAMPLES = 2000, 200, 300
OF_EACH_REPLICATE = 0.5  # standard deviation of a replicate's own effect of an image; the common one has 1

SPREAD, IMAGE_ERROR, SHARED = 2.4, 0.65, 0.13
MARGIN, ALPHA = 2.8, 0.05  # 5 % of an AURC of 56 thousandths
SIZES, FAMILIES, EFFECTS = (5, 10, 20, 30), (1, 6), (0.0, -1.0, -2.0, -2.8, -4.0)
LOOKS = ((10, 20), (10, 20, 30), (10, 20, 30, 40))
N_STUDIES, BOOTSTRAP = 4000, 1000


def trial(draws: np.random.Generator, weights: np.ndarray, n_replicates: int, spread: float) -> tuple[bool, bool]:
    """Return whether each way calls a difference of nothing real, p < 0.05."""
    images = draws.normal(size=N_IMAGES) + OF_EACH_REPLICATE * draws.normal(size=(n_replicates, N_IMAGES))
    differences = images + spread / np.sqrt(N_IMAGES) * draws.normal(size=(n_replicates, 1))
    resampled = differences @ weights
    nothing = Estimate(0.0, np.zeros(N_RESAMPLES))
    found = contrast([(Estimate(d.mean(), r, N_IMAGES), nothing) for d, r in zip(differences, resampled, strict=True)])
    drawn = draws.integers(n_replicates, size=resampled.shape)
    return found.p < ALPHA, bootstrap_p(np.take_along_axis(resampled, drawn, axis=0).mean(0)) < ALPHA


def bootstrap_p(values: np.ndarray) -> float:
    """Return twice the smaller tail of bootstrap values around 0, (k + 1) / (B + 1) each."""
    k = min(np.count_nonzero(values <= 0), np.count_nonzero(values >= 0))
    return min(1.0, 2 * (k + 1) / (len(values) + 1))


def study(draws: np.random.Generator, n: int, effect: float) -> Contrast:
    """Return a comparison of two arms of n replicates whose true difference is `effect`."""
    shared = IMAGE_ERROR * np.sqrt(SHARED) * draws.normal()
    own = IMAGE_ERROR * np.sqrt(1 - SHARED) * draws.normal(size=n)
    differences = effect + SPREAD * draws.normal(size=n) + own + shared
    seen = IMAGE_ERROR**2 * draws.chisquare(BOOTSTRAP) / BOOTSTRAP  # by so many resamples
    return Contrast(tuple(differences.tolist()), seen, SHARED * seen, 1500)


def sequential(draws: np.random.Generator, looks: tuple[int, ...], effect: float, alpha: float) -> tuple:
    """Return the verdict of a study that stops at the first look which decides, and with how many replicates."""
    whole, level = study(draws, looks[-1], effect), alpha * NOMINAL[len(looks)]
    for n in looks:
        found = decided(replace(whole, differences=whole.differences[:n]), level)
        if any(found):
            break
    return (*found, n)


def decided(found: Contrast, level: float, margin: float = MARGIN) -> tuple[bool, bool, bool]:
    """Return whether a lower value is supported, is refuted, and whether the difference is negligible."""
    different, lower = found.p < level, found.difference < 0
    return different and lower, different and not lower, not different and found.p_within(margin) < level


def main() -> None:
    weights = np.concatenate([draw() for draw in resample_weights(N_IMAGES, N_RESAMPLES, "levels")]).T / N_IMAGES
    print(f"{N_TRIALS} trials each; called different, of arms that are not:")
    print("replicates  spread over replicates  contrast  bootstrap over replicates, then images")
    for n_replicates, spread in product(N_REPLICATES, SPREADS):
        draws = generator(0, "levels", n_replicates, spread)
        ours, theirs = np.mean([trial(draws, weights, n_replicates, spread) for _ in range(N_TRIALS)], axis=0)
        print(f"{n_replicates:10} {spread:18} {ours:13.1%} {theirs:35.1%}", flush=True)
    print(
        f"\n{N_STUDIES} studies each, thousandths of AURC, margin {MARGIN}; family: claims at alpha over their number"
    )
    print("replicates  family  true difference  supported  refuted  negligible  inconclusive")
    for n, family, effect in product(SIZES, FAMILIES, EFFECTS):
        draws = generator(0, "power", n, family, effect)
        found = np.mean([decided(study(draws, n, effect), ALPHA / family) for _ in range(N_STUDIES)], axis=0)
        rates = "  ".join(f"{rate:9.1%}" for rate in (*found, 1 - found.sum()))
        print(f"{n:10} {family:7} {effect:16g}  {rates}", flush=True)
    print("\nlooks; the nominal level of each is that of settings/looks.py")
    print("looks           alpha  true difference  supported  refuted  negligible  replicates, mean")
    for looks, alpha, effect in product(LOOKS, (ALPHA, ALPHA / 3), EFFECTS):
        draws = generator(0, "looks", *looks, effect)
        found = np.mean([sequential(draws, looks, effect, alpha) for _ in range(N_STUDIES)], axis=0)
        rates = "  ".join(f"{rate:9.1%}" for rate in found[:3])
        print(f"{looks!s:14} {alpha:6.3f} {effect:16g}  {rates}  {found[3]:16.1f}", flush=True)
    print("\nreplicates needed (80 % power) by the spread itself: for a difference of 2.8, and to call 0 negligible")
    either, images = SPREAD / np.sqrt(2), IMAGE_ERROR**2  # two values that have the spread
    exact = Contrast((-MARGIN - either, -MARGIN + either), images, SHARED * images, 1500)
    for family in FAMILIES:
        level = ALPHA / family
        print(f"family of {family}: {n_for_difference(exact, level)}, {n_for_equivalence(exact, MARGIN, level)}")


if __name__ == "__main__":
    main()

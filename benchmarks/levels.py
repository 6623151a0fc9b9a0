"""Level and power of the comparisons: how often what is not there is called supported, or a margin negligible.

    python benchmarks/levels.py        # a few minutes; docs/decisions/0015 and 0019 have what it printed
    python benchmarks/levels.py results/RUN BETTER THAN [aurc | accuracy | auroc]   # by two arms of a run; decision 21
    python benchmarks/levels.py needed [results/RUN BETTER THAN [METRIC]]    # of either, the replicates needed alone
    python benchmarks/levels.py families [results/RUN BETTER THAN [METRIC]]  # two minutes; decision 19

The first table draws test images: an effect of each that is common to all replicates, that of each replicate on each
image, and the difference of each replicate on all images, whose spread is given in standard errors of the first. Beside
it stands a bootstrap over replicates, then images. The second has the spread that the pilots found for distillation
against cross-entropy on 10,000 test images, in thousandths of AURC: 2.4 over replicates, an error of .65 of one
replicate from the images, of which a fraction of .13 is common to replicates; or that of the models that are named. The
third is of sequential studies. `families` has the level of one claim in a family, by the same spread.
"""

import sys
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))

from selfdoubt.evaluation.bootstrap import resample_weights
from selfdoubt.evaluation.comparisons import compare, estimate
from selfdoubt.evaluation.contrasts import Contrast, Estimate, contrast
from selfdoubt.evaluation.power import n_for_difference, n_for_equivalence
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime.randomness import generator
from selfdoubt.runtime.table_files import read_table
from selfdoubt.settings.looks import NOMINAL
from selfdoubt.settings.metrics import margin

N_REPLICATES, SPREADS = (2, 3, 5, 10), (0, 1, 2, 5, 100)
N_TRIALS, N_IMAGES, N_RESAMPLES = 2000, 200, 300
OF_EACH_REPLICATE = 0.5  # standard deviation of a replicate's own effect of an image; the common one has 1

ALPHA, SIZES, FAMILIES = 0.05, (5, 10, 20, 30), (1, 6)
EFFECTS = (0.0, -1 / 2.8, -2 / 2.8, -1.0, -4 / 2.8)  # margins
LOOKS = ((10, 20), (10, 20, 30), (10, 20, 30, 40))
N_STUDIES, BOOTSTRAP = 4000, 1000
N_OF_LEVELS, SIZES_OF_LEVELS, FAMILIES_OF_LEVELS = 200_000, (5, 10, 20), (1, 6, 17)
QUANTITIES = {name: (name, score, "test") for name, score in (("aurc", "msp"), ("accuracy", "none"), ("auroc", "msp"))}


@dataclass(frozen=True)
class Spread:
    """Of what a difference of two arms varies by, in thousandths of a metric."""

    over_replicates: float
    image_error: float  # of one replicate, from the images
    shared: float  # of its square, the fraction that is common to replicates
    margin: float
    n_images: int  # on which a difference rests
    metric: str = "aurc"


PILOTS = Spread(2.4, 0.65, 0.13, 2.8, 1500)


def observed(run: Path, better: str, than: str, metric: str = "aurc") -> Spread:
    """Return the spread of two arms of a finished run by a metric."""
    quantity = QUANTITIES[metric]
    (name, variant), (other_name, other_variant) = (arm.partition("/")[::2] for arm in (better, than))
    pairs = []
    for path in sorted(run.glob(f"predictions/*/{name}/replicate-*/{variant or 'clean'}.parquet")):
        other = path.parents[2] / other_name / path.parent.name / f"{other_variant or 'clean'}.parquet"
        tables = [predictions_by_split(read_table(each), each) for each in (path, other)]
        pairs.append(tuple(estimate(t, [quantity], BOOTSTRAP, SimpleNamespace(ece_bins=15)) for t in tables))
    found = compare(pairs, quantity)
    images, shared = found.contrast.image_variance, found.contrast.shared
    spread = np.sqrt(max(np.var(found.contrast.differences, ddof=1) - images + shared, 0))
    smallest = 1000 * margin(metric, found.reference)
    return Spread(1000 * spread, 1000 * images**0.5, shared / images, smallest, found.contrast.n_images, metric)


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


def study(draws: np.random.Generator, n: int, effect: float, spread: Spread) -> Contrast:
    """Return a comparison of two arms of n replicates whose true difference is `effect`, margins."""
    shared = spread.image_error * np.sqrt(spread.shared) * draws.normal()
    own = spread.image_error * np.sqrt(1 - spread.shared) * draws.normal(size=n)
    differences = effect * spread.margin + spread.over_replicates * draws.normal(size=n) + own + shared
    seen = spread.image_error**2 * draws.chisquare(BOOTSTRAP) / BOOTSTRAP  # by so many resamples
    return Contrast(tuple(differences.tolist()), seen, spread.shared * seen, spread.n_images)


def sequential(
    draws: np.random.Generator, looks: tuple[int, ...], effect: float, alpha: float, spread: Spread
) -> tuple:
    """Return the verdict of a study that stops at the first look which decides, and with how many replicates."""
    whole, level = study(draws, looks[-1], effect, spread), alpha * NOMINAL[len(looks)]
    for n in looks:
        found = decided(replace(whole, differences=whole.differences[:n]), level, spread.margin)
        if any(found):
            break
    return (*found, n)


def decided(found: Contrast, level: float, margin: float) -> tuple[bool, bool, bool]:
    """Return whether a lower value is supported, is refuted, and whether the difference is negligible."""
    different, lower = found.p < level, found.difference < 0
    return different and lower, different and not lower, not different and found.p_within(margin) < level


def expected(spread: Spread) -> Contrast:
    """Return a contrast of one margin whose variance over replicates is what theirs is on average.

    The replicates' own part of the image error varies from one to the next, and so is in that variance.
    """
    either = np.sqrt((spread.over_replicates**2 + (1 - spread.shared) * spread.image_error**2) / 2)
    images = spread.image_error**2
    values = -spread.margin - either, -spread.margin + either  # two values that have the spread
    return Contrast(values, images, spread.shared * images, spread.n_images)


def print_levels() -> None:
    """Print how often differences of nothing real are called different."""
    weights = np.concatenate([draw() for draw in resample_weights(N_IMAGES, N_RESAMPLES, "levels")]).T / N_IMAGES
    print(f"{N_TRIALS} trials each; called different, of arms that are not:")
    print("replicates  spread over replicates  contrast  bootstrap over replicates, then images")
    for n_replicates, spread in product(N_REPLICATES, SPREADS):
        draws = generator(0, "levels", n_replicates, spread)
        ours, theirs = np.mean([trial(draws, weights, n_replicates, spread) for _ in range(N_TRIALS)], axis=0)
        print(f"{n_replicates:10} {spread:18} {ours:13.1%} {theirs:35.1%}", flush=True)
    print()


def print_power(spread: Spread) -> None:
    """Print the rates of each verdict, of whole studies and of sequential ones."""
    print(
        f"{N_STUDIES} studies each, thousandths of {spread.metric}; a difference below 0 is on the claimed side; "
        "family: claims at alpha over their number"
    )
    print("replicates  family  true difference  supported  refuted  negligible  inconclusive")
    for n, family, effect in product(SIZES, FAMILIES, EFFECTS):
        draws = generator(0, "power", n, family, effect)
        studies = (study(draws, n, effect, spread) for _ in range(N_STUDIES))
        found = np.mean([decided(each, ALPHA / family, spread.margin) for each in studies], axis=0)
        rates = "  ".join(f"{rate:9.1%}" for rate in (*found, 1 - found.sum()))
        print(f"{n:10} {family:7} {effect * spread.margin:16.2f}  {rates}", flush=True)
    print("\nlooks; the nominal level of each is that of settings/looks.py")
    print("looks           alpha  true difference  supported  refuted  negligible  replicates, mean")
    for looks, alpha, effect in product(LOOKS, (ALPHA, ALPHA / 3), EFFECTS):
        draws = generator(0, "looks", *looks, effect)
        found = np.mean([sequential(draws, looks, effect, alpha, spread) for _ in range(N_STUDIES)], axis=0)
        rates = "  ".join(f"{rate:9.1%}" for rate in found[:3])
        print(f"{looks!s:14} {alpha:6.3f} {effect * spread.margin:16.2f}  {rates}  {found[3]:16.1f}", flush=True)


def print_needed(spread: Spread) -> None:
    """Print how many replicates the formulas ask for."""
    print(
        "\nreplicates needed (80 % power) by the spread itself: for a difference of a margin, and to call 0 negligible"
    )
    for family in FAMILIES:
        found, level = expected(spread), ALPHA / family
        print(f"family of {family}: {n_for_difference(found, level)}, {n_for_equivalence(found, spread.margin, level)}")


def print_families(spread: Spread) -> None:
    """Print how often a claim is called different at the level of its family, of arms that are not."""
    print(f"\n{N_OF_LEVELS:,} studies of each number of replicates, of arms that do not differ")
    print("replicates  family  level of a claim  called different  over the level")
    for n, rates in levels_of_families(spread).items():
        for family, rate in zip(FAMILIES_OF_LEVELS, rates, strict=True):
            level = ALPHA / family
            print(f"{n:10} {family:7} {level:17.2%} {rate:17.2%} {rate / level:15.2f}", flush=True)


def levels_of_families(spread: Spread) -> dict[int, np.ndarray]:
    """Return by number of replicates the rates (len(FAMILIES_OF_LEVELS),) at which nothing is called different."""
    rates = {}
    for n in SIZES_OF_LEVELS:
        draws = generator(0, "families", n)
        p = np.array([study(draws, n, 0.0, spread).p for _ in range(N_OF_LEVELS)])
        rates[n] = np.array([np.mean(p < ALPHA / family) for family in FAMILIES_OF_LEVELS])
    return rates


def main(given: list[str]) -> None:
    alone = given[0] if given[:1] in (["needed"], ["families"]) else None
    arms = given[alone is not None :]
    if len(arms) not in (0, 3, 4):
        sys.exit(__doc__)
    if not given:
        print_levels()
    spread = observed(Path(arms[0]), *arms[1:]) if arms else PILOTS
    print(
        f"spread over replicates {spread.over_replicates:.2f}, image error {spread.image_error:.2f} of which "
        f"{spread.shared:.0%} of the variance are common to replicates, margin {spread.margin:.2f}"
    )
    if alone is None:
        print_power(spread)
    if alone == "families":
        print_families(spread)
    else:
        print_needed(spread)


if __name__ == "__main__":
    main(sys.argv[1:])

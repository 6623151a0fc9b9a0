"""Level and power of claims that are more than one comparison, of overlapping draws, and of few images.

    python benchmarks/levels_of_claims.py    # some minutes; docs/decisions/0019 has what it printed

Single comparisons have the spread that the pilots found (`levels.py`). A claim on two of three data sets, each with a
study of its own, and a claim against two arms are decided as `selfdoubt.evaluation.claims` does; a rate above the level
in a row where the claim is false would be a fault.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow_scripts"))

from levels import ALPHA, PILOTS, Spread, study

from selfdoubt.evaluation.claims import Component, together
from selfdoubt.evaluation.comparisons import Compared
from selfdoubt.evaluation.contrasts import Contrast, Estimate, contrast
from selfdoubt.runtime.randomness import generator

N_CLAIMS, N, N_RESAMPLES = 4000, 10, 400
ACCURACY = Spread(2.0, 2.2, 0.0, 3.0, 1500, "accuracy")  # of the same size as its margin, in thousandths
EACH = ((0, 0, 0), (-2, 0, 0), (-1, -1, 0), (-2, -2, 0), (-2, -2, -2), (2, 0, 0), (2, 2, 0))  # differences in margins
LOSSES = (0.0, -0.5, -1.0, -1.5)  # of accuracy, in its margins
OVERLAPS, SIZES = (0.0, 0.2, 0.5), (5, 10, 20)
FEW_IMAGES, DISCORDANT = (20, 100, 372), (1, 2, 3, 5, 10)


def component(found: Contrast, spread: Spread, losses: tuple = ()) -> Component:
    """Return a comparison as claims have it; a lower AURC and a higher accuracy are claimed."""
    score = "none" if spread.metric == "accuracy" else "msp"
    compared = Compared(found.n, found, found.difference, 30.0)
    return Component("d", "a", "b", (spread.metric, score, "test"), compared, spread.margin, (None, None), None, losses)


def several(draws: np.random.Generator, effects: tuple, on_at_least: int | None) -> tuple[bool, bool, bool]:
    """Return whether a claim on several data sets, or against several arms, is supported, refuted or negligible."""
    members = [component(study(draws, N, effect, PILOTS), PILOTS) for effect in effects]
    groups = [[each] for each in members] if on_at_least else [members]
    found = together(groups, on_at_least)
    return found.supporting < ALPHA, found.opposing < ALPHA, found.negligible < ALPHA


def at_no_loss(draws: np.random.Generator, effect: float, loss: float) -> tuple[bool]:
    """Return whether a claim at no loss of accuracy is supported where accuracy differs by so many margins."""
    kept = component(study(draws, N, loss, ACCURACY), ACCURACY)
    return (together([[component(study(draws, N, effect, PILOTS), PILOTS, (kept,))]], None).supporting < ALPHA,)


def overlapping(draws: np.random.Generator, n: int, rho: float) -> tuple[bool, bool]:
    """Return whether replicates whose training sets overlap differ from nothing, with their correction and without."""
    of_both = np.sqrt(rho) * draws.normal() + np.sqrt(1 - rho) * draws.normal(size=n)
    differences = PILOTS.over_replicates * of_both
    found = Contrast(tuple(differences.tolist()), 1e-6, 1e-7, PILOTS.n_images, rho)
    return found.p < ALPHA, replace(found, overlap=0.0).p < ALPHA


def few_images(draws: np.random.Generator, n_images: int, n_discordant: int) -> tuple[bool]:
    """Return whether accuracies of two models that differ on few images, to either side alike, are called different.

    Three replicates with the same predictions, so that nothing but the images varies.
    """
    sides = np.zeros(n_images)
    sides[:n_discordant] = draws.choice((-1, 1), n_discordant)
    weights = draws.multinomial(n_images, np.full(n_images, 1 / n_images), N_RESAMPLES)
    used = np.stack([sides > 0, sides < 0], axis=1)
    better = Estimate(sides.mean(), weights @ sides / n_images, n_images, used.astype(float))
    nothing = Estimate(0.0, np.zeros(N_RESAMPLES), n_images, np.zeros((n_images, 2)))
    found = contrast([(better, nothing)] * 3)
    return (found is not None and found.p < ALPHA,)


def rates(trial: Callable, *given) -> np.ndarray:
    """Return how often each outcome of a trial came true."""
    draws = generator(0, trial.__name__, *map(str, given))
    return np.mean([trial(draws, *given) for _ in range(N_CLAIMS)], axis=0)


def lines() -> Iterator[str]:
    """Yield the tables line by line."""
    yield f"{N_CLAIMS} claims each, {N} replicates, level {ALPHA}; differences in margins, below 0 on the claimed side"
    for on_at_least in (2, None):
        what = "on at least 2 of 3 data sets" if on_at_least else "against each of 3 arms"
        yield f"\n{what:30}  supported  refuted  negligible"
        for effects in EACH:
            found = "  ".join(f"{rate:9.1%}" for rate in rates(several, effects, on_at_least))
            yield f"{effects!s:30}  {found}"
    yield "\nof a true difference of 4 margins, at no loss of accuracy\naccuracy differs by  supported"
    for loss in LOSSES:
        yield f"{loss:19}  {rates(at_no_loss, -4.0, loss)[0]:9.1%}"
    yield "\nreplicates  overlap  called different, of arms that are not  without the correction"
    for n in SIZES:
        for rho in OVERLAPS:
            corrected, plain = rates(overlapping, n, rho)
            yield f"{n:10} {rho:8} {corrected:38.1%} {plain:23.1%}"
    yield "\nimages  of which differ, to either side alike  called different"
    for n_images in FEW_IMAGES:
        for n_discordant in DISCORDANT:
            yield f"{n_images:6} {n_discordant:38} {rates(few_images, n_images, n_discordant)[0]:17.1%}"


if __name__ == "__main__":
    for line in lines():
        print(line, flush=True)

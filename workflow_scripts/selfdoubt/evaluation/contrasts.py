"""The difference of two arms over replicates and test images: its standard error, intervals and tests.

Two things vary. Each replicate is another training; all replicates are evaluated on the same test images. The variance
of the mean difference is that over replicates, over their number, plus what the images add to all replicates alike: the
covariance of two replicates' differences over resamples of the images (Obuchowski & Rockette 1995; Hillis 2007, with
readers in the place of replicates). It is never less than the variance that the images alone give to that mean.

Not here: a bootstrap over replicates. Of three replicates it never goes beyond the least and the most, and so reports a
difference in up to a quarter of the cases in which there is none (docs/decisions/0015).
"""

from dataclasses import dataclass

import numpy as np

_ROUNDING = 1e-12, 1e-15  # relative and absolute
_MANY = 10**9  # images, where the number of those that decide is unknown


@dataclass(frozen=True, eq=False)
class Estimate:
    """The value of a metric for one arm and replicate, and its values in all resamples, (n_resamples,)."""

    value: float
    resampled: np.ndarray
    n_images: int = _MANY  # on which the value rests: for a ranking, the correct or the incorrect ones, if fewer
    used: np.ndarray | None = None  # (n, columns): what decides the value of each image, so that images can be compared
    content: bytes | None = None  # a digest of all that the metric uses of each image


@dataclass(frozen=True)
class Contrast:
    """The mean difference of two arms, better minus than, with what its variance is made of."""

    differences: tuple[float, ...]  # of each replicate
    image_variance: float  # mean over replicates, of a difference over resamples of the images
    shared: float  # of it, what is common to all replicates: the mean covariance of two of them, at least 0
    n_images: int  # on which the difference rests
    overlap: float = 0.0  # of the training sets of two replicates, as a fraction

    @property
    def difference(self) -> float:
        return float(np.mean(self.differences))

    @property
    def n(self) -> int:
        """The number of replicates."""
        return len(self.differences)

    def parts(self, n) -> tuple:
        """Return the variance of the mean of n replicates that comes from replicates, and that from images.

        n: a number or an array. Training sets that overlap by ρ add ρ / (1 - ρ) times the variance over replicates,
        which does not fall with n, for a claim about new training sets (Nadeau & Bengio 2003).
        """
        spread = np.var(self.differences, ddof=1) if self.n > 1 else 0.0
        of_replicates = spread * (1 / n + self.overlap / (1 - self.overlap))
        floor = (self.image_variance + (n - 1) * self.shared) / n
        return of_replicates, np.maximum(self.shared, floor - of_replicates)

    def error(self, n=None):
        """Return the standard error of the mean of n replicates, or of those that there are."""
        return np.sqrt(sum(self.parts(self.n if n is None else n)))

    def freedom(self, n=None):
        """Return the degrees of freedom of that error (Satterthwaite): n - 1 of replicates, n_images - 1 of images."""
        n = self.n if n is None else n
        of_replicates, of_images = self.parts(n)
        whole = of_replicates + of_images
        parts = (of_replicates / whole) ** 2 / np.maximum(n - 1, 1) + (of_images / whole) ** 2 / max(
            self.n_images - 1, 1
        )
        return 1 / parts

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the two-sided confidence interval of the difference."""
        from scipy.special import stdtrit  # half a second to import, and needed here only

        reach = float(stdtrit(self.freedom(), (1 + level) / 2) * self.error())
        return self.difference - reach, self.difference + reach

    def p_above(self, value: float) -> float:
        """Return the one-sided p of the claim that the difference is above a value."""
        from scipy.special import stdtr

        return float(stdtr(self.freedom(), (value - self.difference) / self.error()))

    def p_below(self, value: float) -> float:
        """Return the one-sided p of the claim that the difference is below a value."""
        from scipy.special import stdtr

        return float(stdtr(self.freedom(), (self.difference - value) / self.error()))

    @property
    def p(self) -> float:
        """The two-sided p of the claim that there is a difference."""
        return min(1.0, 2 * min(self.p_above(0), self.p_below(0)))

    @property
    def least_p(self) -> float:
        """The p of the claim that there is a difference, of any number of such replicates at least."""
        return 0.0

    def p_within(self, margin: float) -> float:
        """Return the p of the claim that the difference is within ±margin: the larger of two one-sided ones."""
        return max(self.p_above(-margin), self.p_below(margin))


class ExactContrast(Contrast):
    """A difference that is the same in every resample of the images, so that these give it no variance.

    All images on which it rests differ to the same side. If each falls to that side with probability q, the difference
    is (2q - 1) times what was seen; q has the exact binomial interval (Clopper & Pearson 1934). Where replicates differ
    nonetheless, the wider interval and the larger p of the two, from images and from replicates, hold.
    """

    @property
    def _varies(self) -> bool:
        return self.n > 1 and float(np.ptp(self.differences)) > 1e-12 * float(np.abs(self.differences).max())

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        least = ((1 - level) / 2) ** (1 / self.n_images)
        low, high = sorted((self.difference * (2 * least - 1), self.difference))
        if not self._varies:
            return low, high
        wide = super().interval(level)
        return min(low, wide[0]), max(high, wide[1])

    def error(self, n=None):
        if self._varies:
            return super().error(n)
        return 0.0 if n is None else np.zeros(np.shape(n))

    def freedom(self, n=None):
        return super().freedom(n) if self._varies else float(max(self.n_images - 1, 1))

    def p_above(self, value: float) -> float:
        exact = self._p(value / self.difference) if self.difference > 0 else 1.0 - self._varies
        return max(exact, super().p_above(value)) if self._varies else exact

    def p_below(self, value: float) -> float:
        exact = self._p(value / self.difference) if self.difference < 0 else 1.0 - self._varies
        return max(exact, super().p_below(value)) if self._varies else exact

    @property
    def least_p(self) -> float:
        return min(1.0, 2 * self._p(0))

    def _p(self, fraction: float) -> float:
        """Return the p of the claim that the difference is beyond a fraction of what was seen, on its side."""
        return min(1.0, (1 + max(fraction, 0)) / 2) ** self.n_images

    def p_within(self, margin: float) -> float:
        return 1.0  # of arms that differ on every image


def contrast(pairs: list[tuple[Estimate, Estimate]], overlap: float = 0.0) -> Contrast | None:
    """Return the contrast of two arms, better minus than; pairs: of each replicate, all resampled alike.

    overlap: of the training sets of two replicates. Resamples in which a number does not exist are excluded; None if
    fewer than two are left.
    """
    differences = np.array([float(better.value - than.value) for better, than in pairs])
    resampled = np.stack([better.resampled - than.resampled for better, than in pairs])  # (replicates, n_resamples)
    known = resampled[:, ~np.isnan(resampled).any(0)]
    if known.shape[1] < 2:
        return None
    covariance, n = np.atleast_2d(np.cov(known)), len(pairs)
    own, others = float(np.trace(covariance)), float(covariance.sum() - np.trace(covariance))
    shared = max(0.0, others / (n * (n - 1))) if n > 1 else own
    found = Contrast(tuple(differences.tolist()), own / n, shared, _n_images(pairs), overlap)
    smallest = 1e-12 * np.abs(differences).max(initial=0)  # what rounding leaves of a variance of 0
    return found if own / n > smallest**2 else ExactContrast(**vars(found))


def identical(pairs: list[tuple[Estimate, Estimate]]) -> bool:
    """Return whether the metric uses the same of every image for both arms, in every replicate."""
    return all(better.content is not None and better.content == than.content for better, than in pairs)


def undistinguished(pairs: list[tuple[Estimate, Estimate]]) -> bool:
    """Return whether two arms have the same value, in every replicate and in every resample of the images.

    That can be so of arms that differ, for example if both are always correct: these images cannot set them apart.
    Resamples in which a number of either does not exist are excluded.
    """
    for better, than in pairs:
        values = np.stack([np.append(each.resampled, each.value) for each in (better, than)])
        known = values[:, ~np.isnan(values).any(0)]
        if not np.allclose(*known, *_ROUNDING):
            return False
    return True


def _n_images(pairs: list[tuple[Estimate, Estimate]]) -> int:
    """Return on how many images a difference rests: of those where arms differ, in any replicate."""
    least = min(side.n_images for pair in pairs for side in pair)
    if all(side.used is not None for pair in pairs for side in pair):
        differ = np.any([_differ(better.used, than.used) for better, than in pairs], axis=0)
        least = min(least, int(np.count_nonzero(differ)))
    return max(1, least)


def _differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return on which images (n,) the metric reads different values of two arms: all, if just one has probabilities."""
    return (one != other).any(1) if one.shape == other.shape else np.ones(len(one), bool)


def effect_size(differences: list[float]) -> float | None:
    """Return the mean of paired differences over their standard deviation, d_z (Cohen 1988), of any sign.

    None where there is no spread, or fewer than two replicates.
    """
    if len(differences) < 2 or np.ptp(differences) <= 1e-12 * np.abs(differences).max():
        return None
    return float(np.mean(differences) / np.std(differences, ddof=1))

"""The estimates of every arm and replicate of a study, each file read once."""

from itertools import product

from selfdoubt.evaluation import comparisons
from selfdoubt.evaluation.comparisons import Estimates, Quantity
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files


class Arms:
    """The estimates of every arm and replicate; a file is read when it is first needed."""

    def __init__(self, paths: list, settings, wanted: dict[str, list[Quantity]]):
        """paths: of data sets, then arms, then replicates, each in the order of the settings.

        Of an arm that is there for one replicate alone, it is the same path for each. wanted: all quantities by which
        each arm is compared.
        """
        keys = product(settings.datasets, settings.arms, settings.replicates)
        self._paths = dict(zip(keys, paths, strict=True))
        self._settings, self._wanted = settings, wanted
        self._estimates: dict = {}

    def pairs(self, dataset: str, better: str, than: str) -> list[tuple[Estimates, Estimates]]:
        """Return (better, than) of each replicate; one pair where neither arm has more than one."""
        paths = [
            tuple(self._paths[dataset, arm, replicate] for arm in (better, than))
            for replicate in self._settings.replicates
        ]
        return [tuple(map(self._estimates_of, (better, than), pair)) for pair in dict.fromkeys(paths)]

    def _estimates_of(self, arm: str, path) -> Estimates:
        key = (arm, path)
        if key not in self._estimates:
            predictions, evaluation = (
                predictions_by_split(table_files.read_table(path), path),
                self._settings.evaluation,
            )
            self._estimates[key] = comparisons.estimate(
                predictions, self._wanted[arm], evaluation.n_resamples, evaluation
            )
        return self._estimates[key]

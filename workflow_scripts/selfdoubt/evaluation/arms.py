"""The estimates of every arm and replicate of one data set, each file read once."""

from selfdoubt.evaluation import comparisons
from selfdoubt.evaluation.comparisons import Estimates, Quantity
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files


class Arms:
    """The estimates of every arm and replicate; a file is read when it is first needed."""

    def __init__(self, paths: list, settings, wanted: dict[str, list[Quantity]]):
        """paths: of arms, then their replicates, each in the order of the settings.

        wanted: all quantities by which each arm is compared.
        """
        keys = [(arm.name, replicate) for arm in settings.arms for replicate in arm.replicates]
        self._paths = dict(zip(keys, paths, strict=True))
        self._alone = {arm.name: arm.replicates[0] for arm in settings.arms if len(arm.replicates) == 1}
        self._settings, self._wanted = settings, wanted
        self._estimates: dict = {}

    def pairs(self, better: str, than: str, replicates: list[int]) -> list[tuple[Estimates, Estimates]]:
        """Return (better, than) of each replicate; one pair where neither arm has more than one.

        An arm of one replicate alone, such as one that was trained elsewhere, stands against every replicate of others.
        """
        paths = [
            tuple(self._paths[arm, self._alone.get(arm, replicate)] for arm in (better, than))
            for replicate in replicates
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

"""Settings of a metric over the severity of corruptions."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.analysis import Metric, Score
from selfdoubt.settings.bases import FigureOfArms


class Settings(FigureOfArms):
    reads: ClassVar = ("metrics",)
    needs: ClassVar = ("labels", "looks", "corruptions")
    kind: Literal["severity-curves"]
    metric: Metric
    score: Literal[Score, "none"]

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield _check_corrupted, place, self.dataset, study


def _check_corrupted(place: str, dataset: str, study) -> None:
    entry = study.datasets.get(dataset)
    if entry is not None and not getattr(entry, "corruptions", None):
        raise UserError(f"config: {place}.dataset: '{dataset}' has no corruptions; add them, or name another")

"""Settings of histograms of the confidence of test images and of out-of-distribution images."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.settings.analysis import Score
from selfdoubt.settings.bases import FigureOfArms
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count, Name


class Settings(FigureOfArms):
    reads: ClassVar = ("predictions",)
    kind: Literal["ood-histograms"]
    ood: Name  # one of the data set's
    score: Score
    n_bins: Count  # of one width

    def checks(self, place: str, study) -> Iterator[tuple]:
        if self.dataset in study.datasets:
            yield check_known, f"{place}.ood", self.ood, study.datasets[self.dataset].ood, "an OOD set of it"

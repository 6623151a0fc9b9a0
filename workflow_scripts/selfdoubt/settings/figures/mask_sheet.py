"""Settings of many images with a segmenter's masks."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count, Name


class Settings(Figure):
    reads: ClassVar = ("images", "masks")
    needs: ClassVar = ("own_images",)
    kind: Literal["mask-sheet"]
    segmenter: Name
    n_images: Count  # of train
    n_columns: Count  # images in a row
    order: Literal["spread", "least-confident"] = "spread"  # over all training images; or the most doubtful ones

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield check_known, f"{place}.segmenter", self.segmenter, study.segmenters, "a segmenter"
        yield _check_confidence, place, self, study


def _check_confidence(place: str, figure: Settings, study) -> None:
    segmenter = study.segmenters.get(figure.segmenter)
    if figure.order == "least-confident" and segmenter and segmenter.min_confidence is None:
        remedy = f"set segmenters.{figure.segmenter}.min_confidence, or order: spread"
        raise UserError(f"config: {place}.order: least-confident, but masks have no confidence; {remedy}")

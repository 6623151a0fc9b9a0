"""Settings of images with their masks."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from selfdoubt.settings.bases import Figure
from selfdoubt.settings.choices import check_known
from selfdoubt.settings.types import Count, Name


class Settings(Figure):
    reads: ClassVar = ("images", "masks", "pseudo_masks")
    needs: ClassVar = ("mask_truth", "own_images")
    kind: Literal["mask-gallery"]
    segmenter: Name
    n_images: Count  # of train, a column each

    def checks(self, place: str, study) -> Iterator[tuple]:
        yield check_known, f"{place}.segmenter", self.segmenter, study.segmenters, "a segmenter"

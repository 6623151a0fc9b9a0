"""The type of an entry of `datasets`: of images, or of predictions alone."""

from typing import Annotated

from pydantic import Discriminator, Tag

from selfdoubt.settings.data import Dataset
from selfdoubt.settings.predictions import PredictedData


def _kind_of_data(entry) -> str:
    source = entry.get("source") if isinstance(entry, dict) else getattr(entry, "source", None)
    return "predictions" if source == "predictions" else "images"


AnyDataset = Annotated[
    Annotated[Dataset, Tag("images")] | Annotated[PredictedData, Tag("predictions")], Discriminator(_kind_of_data)
]

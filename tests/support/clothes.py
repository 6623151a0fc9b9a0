"""The first images of the embedded data set, for tests that need real ones."""

from pathlib import Path

from selfdoubt.data import catalog, survey
from selfdoubt.data.datasets import Split
from selfdoubt.data.raw import Encoded
from selfdoubt.settings.source_files import Folders

RESOURCES = Path(__file__).resolve().parents[2] / "resources"


def clothes(split: str, n: int) -> Split:
    """Return the first n images of a split; no other is decoded."""
    pool = catalog.find("embedded:fashion-mnist-12k", Folders(RESOURCES, RESOURCES)).pools[split]
    images = survey.read(Encoded(pool.images.content, pool.images.names[:n]), 1, 28, resize=False).images
    return Split(images, pool.labels[:n], pool.image_ids[:n])

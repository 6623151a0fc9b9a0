"""Every image of fashion-mnist-12k, or of fashion-mnist, in a scene of its own (`data.scenes`); labels and splits stay.

An image has the same scene in both: its id is its place in the official split.
"""

import dataclasses

import numpy as np

from selfdoubt.data import scenes, survey
from selfdoubt.data.raw import Raw
from selfdoubt.data.sources import embedded, fashion_mnist
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources.fashion_scenes import COMPOSED_OF, copy_of


def find(place: str, folders: Folders) -> Raw:
    """Compose the scenes of every split, with their masks."""
    copy, pools = copy_of(place), {}
    clothes = embedded.find(COMPOSED_OF, folders) if copy is None else fashion_mnist.find(copy, folders)
    for split, pool in clothes.pools.items():
        ids = np.arange(len(pool.labels)) if pool.image_ids is None else pool.image_ids
        grey = survey.read(pool.images, channels=1, size_px=28, resize=False).images
        images, masks = scenes.compose(grey, ids, split)
        pools[split] = dataclasses.replace(pool, images=images, masks=masks)
    return dataclasses.replace(clothes, pools=pools)


def name_in(place: str) -> str:
    """Return the data set whose objects are placed, without the path of a copy."""
    return place.partition(":")[0]

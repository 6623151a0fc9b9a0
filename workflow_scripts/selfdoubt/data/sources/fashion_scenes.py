"""Every image of fashion-mnist-12k in a scene of its own (`data.scenes`); labels, ids and splits stay."""

import dataclasses

from selfdoubt.data import scenes, survey
from selfdoubt.data.raw import Raw
from selfdoubt.data.sources import embedded
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.sources.fashion_scenes import COMPOSED_OF


def find(place: str, folders: Folders) -> Raw:
    """Compose the scenes of every split, with their masks."""
    clothes, pools = embedded.find(COMPOSED_OF, folders), {}
    for split, pool in clothes.pools.items():
        grey = survey.read(pool.images, channels=1, size_px=28, resize=False).images
        images, masks = scenes.compose(grey, pool.image_ids, split)
        pools[split] = dataclasses.replace(pool, images=images, masks=masks)
    return dataclasses.replace(clothes, pools=pools)

"""Data sets that come with the project: stored as tables, or composed of one of those when they are prepared."""

import dataclasses
from pathlib import Path

from selfdoubt.data import scenes
from selfdoubt.data.sources import survey, tables
from selfdoubt.data.sources.raw import Raw
from selfdoubt.settings import published


def embedded(name: str, resources: Path) -> Raw:
    """Return an embedded data set by its name."""
    if name not in COMPOSED:
        return tables.embedded(name, resources)
    published.files_of(f"embedded:{name}", resources)  # is it there?
    return COMPOSED[name](tables.embedded(published.COMPOSED_OF[name], resources))


def fashion_scenes(clothes: Raw) -> Raw:
    """Put every image of Fashion-MNIST into a scene of its own; labels, ids and splits stay."""
    pools = {}
    for split, pool in clothes.pools.items():
        grey = survey.read(pool.images, channels=1, size_px=28, resize=False).images
        images, masks = scenes.compose(grey, pool.image_ids, split)
        pools[split] = dataclasses.replace(pool, images=images, masks=masks)
    return dataclasses.replace(clothes, pools=pools)


COMPOSED = {"fashion-scenes": fashion_scenes}  # name: f(what it is composed of) -> Raw

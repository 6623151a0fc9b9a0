"""Choose test images to show: those that arms classify incorrectly with most confidence, and on which they differ."""

import numpy as np

from selfdoubt.data import datasets
from selfdoubt.data.thumbnails import thumbnail
from selfdoubt.evaluation import pictures
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import cli, table_files
from selfdoubt.runtime.schemas.pictures import PICTURES_SCHEMA


def run(arguments):
    settings, paths = arguments.settings, iter(arguments.predictions)
    split = datasets.read_split(arguments.images, "test")
    arms = {}
    for arm in settings.arms:
        replicates = [test_of(next(paths)) for _ in range(arm.n_files)]
        if any(each.logits is None for each in replicates):
            print(f"{arm.name} is left out: its probabilities are not known")
        else:
            arms[arm.name] = pictures.seen(replicates)
    rows = pictures.rows_of(arms, settings.arms[0].name, settings.n_images)
    places = {int(image_id): place for place, image_id in enumerate(split.image_ids)}
    kept, size, made = [], 0, {}
    for row in rows:
        place = places[row["image_id"]]
        if place not in made:
            image = datasets.take(split, np.array([place])).images[:][0]
            made[place] = thumbnail(image, settings.thumbnail_px)
        size += len(made[place])
        if size > 1000 * settings.max_kb:
            print(f"{len(rows) - len(kept)} of {len(rows)} pictures are left out: they exceed {settings.max_kb} kB")
            break
        kept.append(row | {"picture": made[place]})
    metadata = arguments.metadata | {"n_left_out": len(rows) - len(kept)}
    table_files.write_rows(arguments.output, kept, PICTURES_SCHEMA, metadata)


def test_of(path):
    return predictions_by_split(table_files.read_table(path), path)["test"]


if __name__ == "__main__":
    files = {"predictions": "of arms, then replicates", "images": "the split test", "output": "written"}
    cli.main(run, files, several=("predictions",), listed=("predictions",))

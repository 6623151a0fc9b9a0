"""ImageNet-C (Hendrycks & Dietterich 2019): folders NAME/SEVERITY/CLASS of image files."""

from pathlib import Path

import numpy as np

from selfdoubt.data import image_folders
from selfdoubt.data.raw import Pool
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import check_link, composed, path_of
from selfdoubt.settings.source_files import existing


def find(place: str, class_names: list[str], name: str, severity: int) -> Pool:
    """Return the images of one corruption at one severity, labelled by the names of their folders."""
    root = path_of(place)
    below = root / name.replace("-", "_") / str(severity)
    existing([below], "unpack the published archive there", folder=True)
    check_link(below.parent, root)
    names = image_folders.list_images(root, below, {})
    classes = [composed(Path(name).parts[2]) for name in names]  # NAME/SEVERITY/CLASS/…
    absent = sorted(set(classes) - set(class_names))
    if absent:
        raise UserError(f"{below / absent[0]}: a class absent from the data set; remove it, or add the class there")
    if not names:
        raise UserError(f"{below}: holds no images; unpack the published archive there")
    return Pool(image_folders.encoded(root, names), np.array([class_names.index(name) for name in classes], np.int64))

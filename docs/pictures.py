"""The pictures of docs/corruptions.md and docs/scenes.md, drawn from the embedded data set.

python docs/pictures.py [FOLDER] writes corruptions.png, scenes.png and new-backgrounds.png into docs/images, or
elsewhere. Pixels are enlarged by whole numbers, so that what is seen is what is there.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from selfdoubt.data import catalog, corrupted, scenes, survey  # noqa: E402
from selfdoubt.data.datasets import Split  # noqa: E402
from selfdoubt.data.raw import Encoded  # noqa: E402
from selfdoubt.data.shifts import new_backgrounds  # noqa: E402
from selfdoubt.settings.source_files import Folders  # noqa: E402

CORRUPTIONS = ("gaussian-noise", "gaussian-blur", "brightness", "contrast", "jpeg", "pixelate", "elastic", "rotation")
SHOWN = 7  # of test: a plaid shirt, which loses its pattern before its shape
N_SCENES, N_CHANGED = 40, 20
CELL_PX, NAMES_PX, TITLE_PX = 72, 132, 24
INK = "#1c2126"


def corruptions_picture(grey: np.ndarray, colour: np.ndarray) -> Image.Image:
    """Return a row for each corruption and a column for each severity, of two images, uint8 (1, C, H, W)."""
    rows = []
    for name in CORRUPTIONS:
        row = []
        for image in (grey, colour):
            shifted = [corrupted.apply(name, image, s, np.random.default_rng(7)) for s in range(1, 6)]
            row += [pixels[0] for pixels in (image, *shifted)]
        rows.append(row)
    picture = Image.new("RGB", (NAMES_PX + 12 * CELL_PX, TITLE_PX + len(rows) * CELL_PX), "white")
    picture.paste(_grid(rows), (NAMES_PX, TITLE_PX))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    for i, name in enumerate(CORRUPTIONS):
        draw.text((NAMES_PX - 6, TITLE_PX + (i + 0.5) * CELL_PX), name, INK, font, anchor="rm")
    for i, title in enumerate(["clean", *"12345"] * 2):
        draw.text((NAMES_PX + (i + 0.5) * CELL_PX, TITLE_PX / 2), title, INK, font, anchor="mm")
    return picture


def scenes_picture(images: np.ndarray, masks: np.ndarray) -> Image.Image:
    """Return rows of ten scenes, uint8 (n, 3, 32, 32), each above a row of what their masks leave."""
    cut_out = np.where(masks[:, None], images, 255)
    tens = [slice(start, start + 10) for start in range(0, N_SCENES, 10)]
    return _grid([kind[ten] for ten in tens for kind in (images, cut_out)])


def backgrounds_picture(images: np.ndarray, masks: np.ndarray, image_ids: np.ndarray) -> Image.Image:
    """Return rows of ten scenes of test, uint8 (n, 3, 32, 32), each above the same before new backgrounds."""
    changed = new_backgrounds.changed("", Split(images, np.zeros(len(images), np.int64), image_ids, masks)).images
    tens = [slice(start, start + 10) for start in range(0, len(images), 10)]
    return _grid([kind[ten] for ten in tens for kind in (images, changed)])


def _grid(rows: list) -> Image.Image:
    """Return images (C, H, W) side by side, each enlarged twice, in the middle of a cell."""
    grid = Image.new("RGB", (len(rows[0]) * CELL_PX, len(rows) * CELL_PX), "white")
    for i, row in enumerate(rows):
        for j, pixels in enumerate(row):
            large = np.broadcast_to(pixels, (3, *pixels.shape[1:])).repeat(2, 1).repeat(2, 2).transpose(1, 2, 0)
            margin = (CELL_PX - len(large)) // 2
            grid.paste(Image.fromarray(large), (j * CELL_PX + margin, i * CELL_PX + margin))
    return grid


def main(folder: Path) -> None:
    """Write the pictures into the folder."""
    test = catalog.find("embedded:fashion-mnist-12k", Folders(ROOT / "resources", ROOT / "resources")).pools["test"]
    first = Encoded(test.images.content, test.images.names[:N_SCENES])
    clothes = survey.read(first, channels=1, size_px=28, resize=False).images
    images, masks = scenes.compose(clothes, test.image_ids[:N_SCENES], "test")
    shown = slice(SHOWN, SHOWN + 1)
    corruptions_picture(clothes[shown], images[shown]).save(folder / "corruptions.png", optimize=True)
    scenes_picture(images, masks).save(folder / "scenes.png", optimize=True)
    few = images[:N_CHANGED], masks[:N_CHANGED], test.image_ids[:N_CHANGED]
    backgrounds_picture(*few).save(folder / "new-backgrounds.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images")

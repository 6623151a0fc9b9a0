"""Images that stay in their files, for data sets that do not fit into memory.

`ImageFiles` takes the place of a split's array: it is indexed in the same way, and decodes only the images at that
index. Decoding is PIL's, geometry torchvision's v2. A random crop is drawn from a generator named by (seed, epoch,
position), so it does not depend on which worker decodes the image.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from selfdoubt.data import decoding
from selfdoubt.runtime import randomness
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import check_inside

THREADS = 4  # that decode an evaluation batch; PIL releases the interpreter's lock meanwhile
_TRIES = 10  # at a crop that fits into the image, as in torchvision


class ImageFiles:
    """Image files as uint8 (n, C, size_px, size_px): the shorter side resized to size_px, then centre-cropped."""

    def __init__(self, root: Path, names: list[str], channels: int, size_px: int):
        """names: of the files, below root."""
        self.root, self.names = root, names
        self._inside: set[Path] = set()  # folders that are known to be below root
        self.shape, self.dtype = (len(names), channels, size_px, size_px), np.dtype(np.uint8)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, which) -> np.ndarray:
        """Return the evaluation views at `which`, a slice or an array of positions."""
        positions = np.arange(len(self))[which]
        with ThreadPoolExecutor(THREADS) as pool:
            views = list(pool.map(self.evaluation_view, positions))
        return np.stack(views) if views else np.empty((0, *self.shape[1:]), np.uint8)

    def subset(self, positions: np.ndarray) -> "ImageFiles":
        """Return some of the files."""
        return ImageFiles(self.root, [self.names[i] for i in positions], *self.shape[1:3])

    def evaluation_view(self, position: int) -> np.ndarray:
        """Return one image (C, H, W), resized, its middle cut out."""
        return decoding.view(self._open(position), self.shape[2])

    def random_view(self, position: int, seed: int, epoch: int, crop, flip: bool) -> np.ndarray:
        """Return a random resized crop (Szegedy et al. 2015) of one image (C, H, W), perhaps flipped.

        crop: settings with min_area (of the image's area) and max_aspect (width to height, or its inverse).
        """
        from torchvision.transforms import v2

        image, draws = self._open(position), randomness.generator(seed, "crop", epoch, position)
        box = random_box(draws, image.height, image.width, crop.min_area, crop.max_aspect)
        view = decoding.as_array(v2.functional.resized_crop(image, *box, [self.shape[2]] * 2, antialias=True))
        flipped = flip and randomness.generator(seed, "flip", epoch, position).random() < 0.5
        return view[:, :, ::-1] if flipped else view

    def content(self, position: int) -> bytes:
        """Return the bytes of one file; raises UserError if it cannot be read, or leads out of the root."""
        path = self.root / self.names[position]
        try:
            self._check(path)
            return path.read_bytes()
        except OSError as error:
            reason = f"{error.strerror}, though the data set lists it; prepare the data set again"
            raise UserError(f"{path}: {reason}") from None

    def _check(self, path: Path) -> None:
        """Raise UserError if a file is a link out of the root: since it was listed, it may have become one.

        A folder is resolved once, which takes 12 µs a file, in place of 60 for every whole path; decoding takes 4 ms.
        """
        if path.parent not in self._inside:
            check_inside(path.parent, self.root)
            self._inside.add(path.parent)
        if path.is_symlink():
            check_inside(path, self.root)

    def _open(self, position: int) -> Image.Image:
        return decoding.decode(self.content(position), str(self.root / self.names[position]), self.shape[1])[0]


def random_box(draws: np.random.Generator, height: int, width: int, min_area: float, max_aspect: float) -> tuple:
    """Return top, left, height and width of a random part of an image, px; the whole image if no try fits."""
    for _ in range(_TRIES):
        area, log_aspect = draws.uniform(min_area, 1), draws.uniform(-1, 1) * np.log(max_aspect)
        w = round((area * height * width * np.exp(log_aspect)) ** 0.5)
        h = round((area * height * width / np.exp(log_aspect)) ** 0.5)
        if 0 < w <= width and 0 < h <= height:
            return int(draws.integers(0, height - h + 1)), int(draws.integers(0, width - w + 1)), h, w
    return 0, 0, height, width

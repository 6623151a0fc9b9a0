"""Small data sets for the tests, in the formats of the large ones."""

import gzip
import io
import pickle
from pathlib import Path

import numpy as np
from PIL import Image

from selfdoubt.data import catalog
from selfdoubt.data.datasets import Split
from selfdoubt.settings.data import Dataset, OodSet
from selfdoubt.settings.source_files import Folders

ROOT = Path(__file__).resolve().parents[2]


def load(source: str, resources: Path = ROOT / "resources", **settings):
    return catalog.load(Dataset(source=str(source), **settings), Folders(resources, resources))


def load_splits(source: str, resources: Path = ROOT / "resources", **settings) -> dict[str, Split]:
    return load(source, resources, **settings)[0]


def load_ood(source: str, channels: int, size_px: int, split: str = "test", n_images: int | None = None) -> Split:
    settings = OodSet(source=str(source), split=split, n_images=n_images)
    return catalog.load_ood(settings, Folders(ROOT / "resources", ROOT / "resources"), channels, size_px)


def encode(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


def some_images(n: int, size_px: int, channels: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random images (n, C, H, W), and labels of which every class has as many."""
    draw = np.random.default_rng(seed)
    return draw.integers(0, 256, (n, channels, size_px, size_px)).astype(np.uint8), np.arange(n) % n_classes


def write_cifar(folder: Path, fine: bool = False) -> tuple:
    """Pickles as CIFAR's authors made them: byte keys, rows of 3,072 values."""
    n_classes = 100 if fine else 10
    train, test = some_images(400 if fine else 100, 32, 3, n_classes), some_images(n_classes, 32, 3, n_classes, seed=1)
    key = b"fine_labels" if fine else b"labels"
    batches = {"test" if fine else "test_batch": test}
    if fine:
        batches["train"] = train
    for i in range(0 if fine else 5):
        batches[f"data_batch_{i + 1}"] = tuple(array[20 * i : 20 * i + 20] for array in train)
    folder.mkdir()
    for name, (images, labels) in batches.items():
        batch = {b"data": images.reshape(len(images), -1), key: labels.tolist(), b"filenames": [b"x.png"]}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    names = [f"class {i}".encode() for i in range(n_classes)]
    meta = {b"fine_label_names" if fine else b"label_names": names}
    (folder / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(meta, protocol=2))
    return train, test


def write_folder(root: Path, n: int = 10, classes=("ant", "bee", "cat"), size=(20, 30)) -> None:
    """Files of PNG and JPEG in a folder for each class; red tells the class, green the image."""
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(n):
            image = Image.new("RGB", size, (80 * label, 10 * i, 7))
            image.save(root / name / f"{i:03}.{'png' if i % 2 else 'jpg'}", quality=95)

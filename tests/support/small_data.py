"""Small data sets for the tests, in the formats of the large ones."""

import gzip
import io
import pickle
from pathlib import Path
from types import SimpleNamespace

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


def load_ood(source: str, channels: int, size_px: int, max_gb: float = 4.0, **entry) -> Split:
    settings = SimpleNamespace(**OodSet(source=str(source), **entry).model_dump(), max_gb=max_gb)
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
    """Files of PNG and JPEG in a folder for each class; red is the class, green the image."""
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for i in range(n):
            image = Image.new("RGB", size, (80 * label, 10 * i, 7))
            image.save(root / name / f"{i:03}.{'png' if i % 2 else 'jpg'}", quality=95)


def write_tiny_imagenet(root: Path) -> list[str]:
    wnids = ["n03", "n01", "n02"]  # as published, not in the order of the alphabet
    root.mkdir(parents=True)
    (root / "wnids.txt").write_text("\n".join(wnids))
    (root / "words.txt").write_text("n01\tcat\nn02\tdog\nn99\tnothing\n")
    lines = []
    for label, wnid in enumerate(wnids):
        (root / f"train/{wnid}/images").mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (64, 64), (80 * label, i, 0)).save(
                root / f"train/{wnid}/images/{wnid}_{i}.JPEG", quality=95
            )
    (root / "val/images").mkdir(parents=True)
    for i in range(6):
        Image.new("L", (64, 64), 80 * (i % 3)).save(root / f"val/images/val_{i}.JPEG")  # some are grey, as there
        lines.append(f"val_{i}.JPEG\t{wnids[i % 3]}\t0\t0\t62\t62")
    (root / "val/val_annotations.txt").write_text("\n".join(lines))
    return wnids


def write_imagenet(root: Path, flat: bool) -> None:
    from scipy.io import savemat

    wnids = ["n01", "n02"]
    for label, wnid in enumerate(wnids):
        for split in ("train", "val"):
            (root / split / wnid).mkdir(parents=True)
        for i in range(5):
            Image.new("RGB", (40, 30), (100 * label, 0, 0)).save(root / f"train/{wnid}/{wnid}_{i}.JPEG")
    truth = [2, 1, 1, 2]
    for i, label in enumerate(truth):
        folder = root / "val" if flat else root / "val" / wnids[label - 1]
        Image.new("RGB", (40, 30), (100 * (label - 1), 0, 0)).save(folder / f"ILSVRC2012_val_{i + 1:08}.JPEG")
    if flat:
        data = root / "ILSVRC2012_devkit_t12/data"
        data.mkdir(parents=True)
        (data / "ILSVRC2012_validation_ground_truth.txt").write_text("\n".join(map(str, truth)))
        rows = [(i + 1, wnid, 0) for i, wnid in enumerate(wnids)] + [(3, "n00", 2)]
        kinds = [("ILSVRC2012_ID", "f8"), ("WNID", "O"), ("num_children", "f8")]
        savemat(data / "meta.mat", {"synsets": np.array(rows, kinds)[:, None]})

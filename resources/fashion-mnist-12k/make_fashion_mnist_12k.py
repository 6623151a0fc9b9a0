"""Make train.parquet, val.parquet and test.parquet of this folder from the original Fashion-MNIST files.

    python make_fashion_mnist_12k.py [--source FOLDER] [--output FOLDER]

The source folder holds the four idx files as Zalando publishes them; Debian's package
`dataset-fashion-mnist` installs them where --source points by default. Prints the sha256 of each file, and of its
content whatever the compression: another Pillow (its zlib), pyarrow or processor may compress the same pixels into
other bytes.
"""

import argparse
import hashlib
import io
import sys
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "workflow_scripts"))

from selfdoubt.data.sources import fashion_mnist  # noqa: E402
from selfdoubt.data.subsets import balanced_subset  # noqa: E402
from selfdoubt.runtime.atomic_files import atomic_path  # noqa: E402
from selfdoubt.runtime.errors import UserError  # noqa: E402
from selfdoubt.runtime.randomness import generator  # noqa: E402

DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
OFFICIAL = ("train", "t10k")  # as Zalando names the training and the test set
N_TRAIN, N_VAL = 10_000, 2_000
SCHEMA = pa.schema(
    [
        pa.field("image_id", pa.int32(), nullable=False),  # row in the official training or test file
        pa.field("image", pa.binary(), nullable=False),  # PNG, 8-bit grey
        pa.field("label", pa.int8(), nullable=False),
    ]
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=DEBIAN_FOLDER, help="folder of the idx files (%(default)s)")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder to write into (that of this script)")
    arguments = parser.parse_args()
    try:
        make(arguments.source, arguments.output)
    except UserError as error:
        sys.exit(str(error))


def make(source: Path, output: Path, n_train: int = N_TRAIN, n_val: int = N_VAL) -> None:
    """Write the three splits and print their digests; the counts are arguments for the tests' sake."""
    official = {name: (read_idx(source, f"{name}-images"), read_idx(source, f"{name}-labels")) for name in OFFICIAL}
    train, val = choose(official["train"][1], n_train, n_val)
    test = np.arange(len(official["t10k"][1]))
    for split, file, rows in [("train", "train", train), ("val", "train", val), ("test", "t10k", test)]:
        images, labels = (array[rows] for array in official[file])
        write(output / f"{split}.parquet", rows, images, labels)
        print(f"{sha256((output / f'{split}.parquet').read_bytes())}  {split}.parquet")
        content = rows.astype("<i4").tobytes() + labels.astype("<i1").tobytes() + images.tobytes()
        print(f"{sha256(content)}  {split}: image_id, label and pixels")


def read_idx(folder: Path, name: str) -> np.ndarray:
    """Read one of the four gzipped idx files: images (n, 28, 28) or labels (n,)."""
    path = next(iter(sorted(folder.glob(f"{name}-idx?-ubyte.gz"))), None)
    if path is None:
        raise UserError(f"{folder}/{name}-idx*-ubyte.gz: no such file; apt install dataset-fashion-mnist, or --source")
    try:
        return fashion_mnist.read_idx(path.read_bytes())
    except (EOFError, OSError, IndexError, ValueError, zlib.error) as error:
        raise UserError(f"{path}: not a whole gzipped idx file ({error}); fetch it again") from None


def choose(labels: np.ndarray, n_train: int, n_val: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of train and of val: disjoint, balanced over the classes, sorted."""
    draw = generator(0, "fashion-mnist-12k")
    both = balanced_subset(labels, n_train + n_val, draw)
    is_val = np.isin(np.arange(len(both)), balanced_subset(labels[both], n_val, draw))
    return both[~is_val], both[is_val]


def write(path: Path, rows: np.ndarray, images: np.ndarray, labels: np.ndarray) -> None:
    """Write one split; zstd takes away what all PNG headers share."""
    columns = [pa.array(rows, pa.int32()), pa.array(map(png, images), pa.binary()), pa.array(labels, pa.int8())]
    table = pa.Table.from_arrays(columns, schema=SCHEMA)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", compression_level=9, use_dictionary=False)


def png(image: np.ndarray) -> bytes:
    """Encode a uint8 image (H, W) as the smallest PNG that zlib's four strategies give."""
    candidates = []
    for strategy in range(4):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG", compress_level=9, compress_type=strategy)
        candidates.append(buffer.getvalue())
    return min(candidates, key=len)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    main()

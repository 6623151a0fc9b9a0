"""Peak memory of preparing and of training on a folder whose images stay in their files, by number of images.

python benchmarks/memory.py 1000 8000 writes so many small JPEG files of two classes, and prints a line for each job: it
should hardly depend on the number. A tiny network on images of 224 pixels, one epoch, one worker, on the CPU.
"""

import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

SCRIPTS = Path(__file__).resolve().parent.parent / "workflow_scripts"
SPLITTING = {"val_fraction": 0.02, "test_fraction": 0.02, "split_seed": 0, "max_gb": 4.0, "channels": None}
RECIPE = {
    "epochs": 1,
    "batch_size": 32,
    "optimizer": {"method": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0},
    "schedule": {"method": "cosine", "warmup_fraction": 0.1},
    "max_gradient_norm": None,
    "ema_decay": None,
    "shift_px": 0,
    "crop": {"min_area": 0.1, "max_aspect": 1.33},
    "flip": True,
    "n_workers": 1,
    "validate_every": 1,
    "precision": "float32",
    "device": "cpu",
    "gpu": 1,
    "threads": 1,
}
NETWORK = {"family": "convnet", "widths": [2, 2, 2]}


def write_images(folder: Path, n: int) -> None:
    """Write n JPEG files, all of the same noise, to the folders of two classes."""
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=30)
    for label in range(2):
        (folder / str(label)).mkdir(parents=True)
    for i in range(n):  # what follows the end of a JPEG is not looked at
        (folder / str(i % 2) / f"{i:07}.jpg").write_bytes(buffer.getvalue() + i.to_bytes(4, "big"))


def peak_mb(script: str, settings: dict, **options) -> float:
    """Run a script and return the largest memory of it or a worker, MB."""
    command = [sys.executable, SCRIPTS / f"{script}.py", "--settings", json.dumps(settings)]
    for name, value in options.items():
        command += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | {"OMP_NUM_THREADS": "1"})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{script} failed")
    return usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def main(counts: list[int]) -> None:
    """Print a line for each number of images and job."""
    for n in counts:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            write_images(root / "files", n)
            data = SPLITTING | {"source": f"folder:{root / 'files'}", "size_px": 224, "storage": "files"}
            splits = {name: root / f"{name}.safetensors" for name in ("train", "val")}
            written = {"test": root / "test.safetensors", "counts": root / "counts.parquet"}
            print(
                f"{n} images: prepare_dataset {peak_mb('prepare_dataset', data, **splits, **written):.0f} MB",
                flush=True,
            )
            model = {"network": NETWORK, "label_smoothing": 0.0, "recipe": RECIPE}
            written = {"checkpoint": root / "model.safetensors", "history": root / "history.parquet", "seed": 1}
            print(f"{n} images: training {peak_mb('train_on_labels', model, **splits, **written):.0f} MB", flush=True)


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [1000, 8000])

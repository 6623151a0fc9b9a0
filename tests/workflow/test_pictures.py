"""The pictures of the docs are what their command draws now."""

import importlib.util
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


def test_the_pictures_of_the_docs_are_small_and_true(tmp_path):
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs/pictures.py")
    pictures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    pictures.main(tmp_path)
    for name in ("corruptions.png", "scenes.png"):
        kept, drawn = (np.asarray(Image.open(folder / name)).astype(int) for folder in (ROOT / "docs/images", tmp_path))
        assert kept.shape == drawn.shape
        assert np.abs(kept - drawn).mean() < 0.5, f"{name} is old; run python docs/pictures.py"
        assert (ROOT / "docs/images" / name).stat().st_size < 200_000

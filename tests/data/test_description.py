"""The command that shows what is in a source."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from small_data import write_folder

from selfdoubt.data.description import describe
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.data import Dataset
from selfdoubt.settings.source_files import Folders

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow_scripts"


def described(*arguments: str) -> tuple[int, list[str], list[str]]:
    """Return the exit code, and the lines of both streams."""
    found = subprocess.run(
        [sys.executable, SCRIPTS / "describe_data.py", *arguments], capture_output=True, text=True, check=False
    )
    return found.returncode, found.stdout.splitlines(), found.stderr.splitlines()


@pytest.fixture
def photos(tmp_path):
    """Noise, so that no two are the same: 4, 2 and 2 images of two classes."""
    draws, root = np.random.default_rng(0), tmp_path / "photos"
    for split, n in {"train": 4, "dev": 2, "testing": 2}.items():
        write_folder(root / split, n, classes=("ant", "bee"))
    for path in sorted(root.rglob("*.*")):
        Image.fromarray(draws.integers(0, 256, (20, 30, 3)).astype(np.uint8)).save(path)
    return root


def test_what_is_found_is_shown(photos):
    shutil.copy(photos / "train/ant/000.jpg", photos / "train/ant/copy.jpg")
    shutil.copy(photos / "train/ant/001.png", photos / "testing/bee/copy.png")  # under another class, too
    shutil.copy(photos / "dev/ant/000.jpg", photos / "testing/ant/copy.jpg")
    (photos / "notes.txt").touch()
    code, out, err = described(f"folder:{photos}", "--size-px", "24")
    assert code == 0 and not err
    assert [line.split() for line in out[2:6]] == [
        ["class", "train", "val", "test"],
        ["ant", "5", "2", "3"],
        ["bee", "4", "2", "3"],
        ["all", "9", "4", "6"],
    ]
    for line in (
        "train: 30 x 20 px (9 images)",
        "train: at 24 px 9 images are enlarged; of an image 33% are cut off, on average",
        "train: 1 duplicates of another in the split",
        "test: 1 duplicates of a training image",
        "val and test: 1 images are in both",
        "all: 1 images are in several classes",
        "all: 1 ignored files beside the class folders: notes.txt",
    ):
        assert line in out


def test_what_is_wrong_is_a_line_each_and_ends_with_1(photos):
    (photos / "train/ant/000.jpg").write_bytes(b"")
    (photos / "train/bee/000.jpg").write_bytes(b"text")
    code, out, err = described(f"folder:{photos}")
    assert code == 1 and "all: no duplicates" in out and len(err) == 2
    assert "train/ant/000.jpg: cannot be decoded (the file is empty); repair or remove it (and 1 more)" in err[0]
    assert "set size_px" in err[1]


@pytest.mark.parametrize(
    ("source", "message"), [("folder:missing", "missing is missing"), ("foldr:x", "mean 'folder'")]
)
def test_a_source_that_is_none_is_one_line(source, message):
    code, out, err = described(source)
    assert code == 1 and not out and len(err) == 1 and message in err[0]


def test_files_that_were_not_fetched_yet_are_named(tmp_path):
    code, _, err = described("cifar10", "--fetched", str(tmp_path))
    assert code == 1 and len(err) == 1 and err[0].endswith("a study fetches it, or name your own copy: cifar10:PATH")


@pytest.mark.parametrize(("n_empty", "n_full", "warned"), [(0, 1, False), (1, 1, True), (0, 2, True), (9, 0, True)])
def test_many_masks_without_an_object_or_full_of_it_are_warned_of(tmp_path, n_empty, n_full, warned):
    """From 2 % on, as in the table of mask quality."""
    root, n = tmp_path / "photos", 60
    write_folder(root / "train", n // 2, classes=("ant", "bee"))
    for i, path in enumerate(sorted((root / "train").rglob("*.*"))):
        mask = np.zeros((20, 30), np.uint8)
        mask[:10] = 0 if i < n_empty else 255
        mask[10:] = 255 if n_empty <= i < n_empty + n_full else 0
        Image.fromarray(np.zeros((20, 30, 3), np.uint8)).save(path)
        put = (root / "masks" / path.relative_to(root)).with_suffix(".png")
        put.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(put)
    lines, _ = describe(Dataset(source=f"folder:{root}", size_px=16), Folders(root, root))
    [line] = [line for line in lines if "warning" in line] or [""]
    assert bool(line) == warned and (not warned or f"{n_empty} of {n} are empty and {n_full} full" in line)


def test_it_is_quick_without_torch():
    program = "import sys, selfdoubt.data.description; print('torch' in sys.modules, 'torchvision' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=SCRIPTS)
    assert found.stdout.split() == ["False", "False"]


def test_a_pipe_is_ignored_and_named(photos):
    os.mkfifo(photos / "train/ant/pipe.jpg")
    code, out, _ = described(f"folder:{photos}", "--size-px", "24")
    assert code == 0 and any("train/ant/pipe.jpg" in line and "a pipe" in line for line in out)


@pytest.mark.parametrize("inner", ["", "train", "notes"])
def test_a_folder_without_images_names_the_expected_layout(tmp_path, inner):
    (tmp_path / "photos" / inner).mkdir(parents=True)
    if inner == "notes":
        (tmp_path / "photos/notes").rmdir()
        (tmp_path / "photos/notes.txt").write_text("none")
    code, _, (line,) = described(f"folder:{tmp_path / 'photos'}")
    assert code == 1 and "holds no images" in line and "train/CLASS/photo.jpg" in line


def test_images_that_may_not_be_read_are_faults_beside_others(photos, monkeypatch):
    (photos / "train/bee/000.jpg").write_bytes(b"\xff\xd8\xff")
    read = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if "ant" in path.parts and "testing" in path.parts:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read all
    _, faults = describe(Dataset(source=f"folder:{photos}", size_px=24), Folders(photos, photos))
    lines = [str(fault) for fault in faults]
    assert len(lines) == 2 and "cannot be decoded" in lines[0]
    assert (
        f"{photos}/testing/ant/000.jpg: cannot be read (Permission denied)" in lines[1] and "(and 1 more)" in lines[1]
    )


def test_a_table_that_may_not_be_read_is_one_line(tmp_path, monkeypatch):
    pq.write_table(pa.table({"image": [b""], "label": [0]}), tmp_path / "train.parquet")

    def refuse(path: Path, **_) -> None:
        raise PermissionError(errno.EACCES, f"[Errno 13] Failed to open local file '{path}'")

    monkeypatch.setattr(pq, "read_schema", refuse)
    with pytest.raises(UserError, match=r"train.parquet: cannot be read \(Permission denied\); allow it"):
        describe(Dataset(source=f"parquet:{tmp_path}", size_px=24), Folders(tmp_path, tmp_path))

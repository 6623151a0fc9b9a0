"""What is seen of a folder, for all sources alike; links are tried in tests/data/test_untrusted.py."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog
from selfdoubt.settings.listing import SPECIAL, contents, files_below
from selfdoubt.settings.source_files import Folders

SOURCES = ("folder", "imagenet", "parquet")


@pytest.fixture
def root(tmp_path):
    """A folder that is each of SOURCES."""
    for name in ("train/a/0.png", "val/a/0.png", "train/a/train.parquet"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def files_of(kind: str, root) -> tuple[str, ...]:
    catalog.files_of.cache_clear()
    return catalog.files_of(f"{kind}:{root}", Folders(root, root))


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("name", [".git", "__MACOSX", "lost+found"])
def test_what_is_hidden_is_not_seen_by_any_source(root, kind, name):
    before = files_of(kind, root)
    for place in (root, root / "train", root / "train/a"):
        (place / name).mkdir()
        (place / name / "train.parquet").touch()
    assert files_of(kind, root) == before
    ignored = {}
    assert len(files_below(root, root, ignored)) == 3 and [*ignored.values()] == ["hidden"] * 3


@pytest.mark.parametrize("linked", [False, True])
def test_pipes_and_sockets_are_ignored_and_never_opened(root, linked):
    before = {kind: files_of(kind, root) for kind in SOURCES}
    os.mkfifo(root / "pipe")
    for name in ("train/a/pipe.png", "train/a/test.parquet", "train/a/x"):
        (root / name).symlink_to(root / "pipe") if linked else os.mkfifo(root / name)
    (root / "train/a/gone.png").symlink_to(root / "nothing")
    assert {kind: files_of(kind, root) for kind in SOURCES} == before
    ignored = {}
    assert len(files_below(root, root, ignored)) == 4 and [*ignored.values()] == [SPECIAL] * 4


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("place", ["", "train"])
def test_a_folder_that_cannot_be_read_is_named_before_any_job(root, kind, place, monkeypatch):
    inner = os.scandir

    def scandir(path):
        if path == root / place:
            raise PermissionError(13, "Permission denied")
        return inner(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may read all
    with pytest.raises(UserError, match=rf"{root / place}: cannot be read \(Permission denied\)"):
        files_of(kind, root)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_name_that_is_not_utf8_is_named_in_printable_letters(root, kind):
    (root / "train" / os.fsdecode(b"caf\xe9")).mkdir()
    with pytest.raises(UserError, match=r"train/caf\\udce9: a name that is not UTF-8; rename it") as fault:
        files_of(kind, root)
    assert str(fault.value).isprintable()


def test_entries_are_sorted_and_links_known(root):
    (root / "train/link").symlink_to("a")
    seen = contents(root / "train")
    assert [path.name for path in seen.folders] == ["a", "link"] and [path.name for path in seen.links] == ["link"]


@pytest.mark.parametrize("kind", ["folder", "imagenet"])
def test_all_class_folders_that_cannot_be_read_are_named_before_any_job(root, kind, monkeypatch):
    (root / "train/b").mkdir()
    monkeypatch.setattr(os, "access", lambda path, _: path.name not in ("a", "b"))  # root may read all
    with pytest.raises(UserError) as fault:
        files_of(kind, root)
    named = [line.partition(": cannot be read (Permission denied)")[0] for line in str(fault.value).split("\n")]
    assert named == [str(root / name) for name in ("train/a", "train/b", "val/a")]


AS_ANOTHER_USER = """
import os, sys
from pathlib import Path
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog
from selfdoubt.settings.source_files import Folders
os.setgroups([])
os.setuid(65534)
try:
    print(catalog.files_of(f"{sys.argv[1]}:{sys.argv[2]}", Folders(Path(sys.argv[2]), Path(sys.argv[2]))))
except UserError as fault:
    print(fault)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="being another user takes root")
@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_folder_that_another_user_may_not_read_is_one_line(kind, mode):
    """Its images would be missing; pytest's own folders shut other users out."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        for name in ("train/a/0.png", "train/b/1.parquet", "val/a/0.png", "train/a/train.parquet"):
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).touch()
        (Path(folder) / "train/b").chmod(mode)
        command = [sys.executable, "-c", AS_ANOTHER_USER, kind, folder]
        library = Path(catalog.__file__).parents[2]
        found = subprocess.run(command, capture_output=True, text=True, env={"PYTHONPATH": str(library)}, check=False)
        (Path(folder) / "train/b").chmod(0o755)
    assert found.stdout.count("\n") == 1 and found.stdout.startswith(f"{folder}/train/b: cannot be read "), found
    assert "allow it" in found.stdout

"""What is seen of a folder: one rule about hidden, unreadable and linked files, for every source.

Hidden: a name that begins with a dot, and what systems leave in folders. Ignored too: pipes, sockets and devices, which
may be read for ever. Refused: a folder that cannot be read, a name
that is not UTF-8, a link that leads out of the source. The top folders of a source may be links: their targets
belong to it. Rules import this, so it opens no file.
"""

import errno
import os
import unicodedata
from pathlib import Path
from typing import NamedTuple

from selfdoubt.runtime.errors import UserError

SPECIAL = "a pipe, a socket or a device"
_LEFT_BY_SYSTEMS = ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found")


class Contents(NamedTuple):
    """A folder's entries, each sorted by name."""

    folders: list[Path]
    files: list[Path]
    ignored: dict[Path, str]  # those in neither of the others, with the reason
    links: list[Path]  # those of `folders` and `files` that are links


def path_of(place: str) -> Path:
    """Return the path that a config names, ~ being a home; raises UserError if there is no such user."""
    try:
        return Path(place).expanduser()
    except RuntimeError:
        raise UserError(f"{place}: no home folder of that user is known; write the whole path") from None


def contents(folder: Path) -> Contents:
    """Return what is in a folder; raises UserError if it cannot be read, or a name in it is not UTF-8."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        if not os.access(folder, os.X_OK):  # names can be listed, but no file can be opened
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise unreadable(folder, error) from None
    seen = Contents([], [], {}, [])
    for entry in found:
        path = folder / entry.name
        if entry.name.startswith(".") or entry.name in _LEFT_BY_SYSTEMS:
            seen.ignored[path] = "hidden"
            continue
        if any("\ud800" <= letter <= "\udfff" for letter in entry.name):  # how Python reads other bytes
            raise UserError(f"{path}: a name that is not UTF-8; rename it")
        kind = _kind(entry)
        if kind == "special":
            seen.ignored[path] = SPECIAL
            continue
        (seen.folders if kind == "folder" else seen.files).append(path)
        if entry.is_symlink():
            seen.links.append(path)
    return seen


def files_below(folder: Path, root: Path, ignored: dict[Path, str]) -> list[Path]:
    """Return all files below a folder of a source, but for those that go to `ignored`, with the reason.

    Raises UserError as `contents` and `check_link` do.
    """
    check_link(folder, root)
    seen = contents(folder)
    ignored |= seen.ignored
    for path in seen.links:
        check_link(path, root)
    return [*seen.files, *(path for inner in seen.folders for path in files_below(inner, root, ignored))]


def check_link(path: Path, root: Path) -> None:
    """Raise UserError if a path below root is a link that leads out of the source, or back to where it is in."""
    if path == root or not path.is_symlink():  # the root itself may be one
        return
    check_inside(path, root)
    if path.parent.resolve().is_relative_to(path.resolve()):
        raise UserError(f"{path}: a link that leads back to a folder that it is in; remove it")


def check_inside(path: Path, root: Path) -> None:
    """Raise UserError if a path, once its links are followed, is not of the source whose folder is root."""
    try:
        real = path.resolve()
        inside = any(real.is_relative_to(place) for place in _places(path, root))
    except (OSError, RuntimeError):  # a link to itself
        inside = False
    if not inside:
        raise UserError(f"{path}: a link that leads out of {root}; replace it by what it points to")


def unreadable(path: Path, error: OSError) -> UserError:
    """Return the error about what cannot be read."""
    return UserError(f"{path}: cannot be read ({error.strerror}); allow it, or move it away")


def composed(name: str) -> str:
    """Return a name with each accented letter as one code point: the same name may be written in either form."""
    return unicodedata.normalize("NFC", name)


def _places(path: Path, root: Path) -> list[Path]:
    """Return the folders in which a path of a source may really lie."""
    home = root.resolve()
    places = [home]
    parts = path.relative_to(root).parts if path.is_relative_to(root) else ()
    if parts and ".." not in parts and (root / parts[0]).is_dir():
        places.append((root / parts[0]).resolve())
    # The hub's cache: files of snapshots/REVISION are links into blobs, beside snapshots.
    return places + [above for above in home.parents if (above / "snapshots").is_dir() and (above / "blobs").is_dir()]


def _kind(entry: os.DirEntry) -> str:
    try:
        if entry.is_dir():
            return "folder"
        return "file" if entry.is_file() or not Path(entry.path).exists() else "special"
    except OSError:  # a link to itself
        return "file"

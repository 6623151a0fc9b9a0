"""Files of data sets as their authors publish them: fetched archives, or unpacked copies of one's own.

An archive is read without unpacking it, so nothing of it is ever written to disk.

Not torchvision's readers: they unpack archives beside themselves, refuse a copy that is not where they would have put
it, and would have every job that prepares data import torch.
"""

import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from types import ModuleType

from selfdoubt.data import downloads
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.source_files import Folders

Read = Callable[[str], bytes]  # a member's content by its name


def members(facts: ModuleType, place: str, folders: Folders) -> Read:
    """Return a function that reads a member of a published data set by its name.

    facts: the data set's module of `settings.sources`. place: of an unpacked copy; empty: what was fetched, which is
    checked by its MD5.
    """
    paths = facts.files_of(place, folders)
    check(facts, paths, folders)
    if len(paths) == 1 and paths[0].name.endswith(".tar.gz"):
        return untar(paths[0], facts.MEMBERS).__getitem__
    by_name = {path.name: path for path in paths}
    return lambda name: by_name[name].read_bytes()


def check(facts: ModuleType, paths: list[Path], folders: Folders) -> None:
    """Raise UserError if a fetched file is not the published one; copies of one's own are not checked."""
    for path in paths:
        if path.parent == folders.fetched:
            downloads.check(path, facts.DOWNLOADS[path.name][1])


def untar(path: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """Return the wanted members of an archive by the last part of their names."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            name = PurePosixPath(member.name).name
            if member.isfile() and name in wanted:
                found[name] = archive.extractfile(member).read()
    if missing := [name for name in wanted if name not in found]:
        raise UserError(f"{path}: holds no {missing[0]}; delete it and fetch it again")
    return found


def parsed(read: Read, name: str, parse: Callable):
    """Return what `parse` makes of a member; raises UserError that names it if it is not whole."""
    try:
        return parse(read(name))
    except (EOFError, OSError, IndexError, KeyError, ValueError, zlib.error) as error:
        raise UserError(f"{name}: not a whole file as published ({error}); fetch it again") from None

"""Fetching of published files: interrupted transfers are resumed, and a file is used only if its MD5 is correct."""

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

from selfdoubt.runtime.errors import UserError, lacks_room

_CHUNK, _TIMEOUT_S = 2**20, 60


def fetch(url: str, md5: str, path: Path) -> None:
    """Fetch a file to `path` unless it is there; an interrupted transfer leaves `path`.part, and the next resumes it.

    Raises UserError if the disk is full, if the file cannot be fetched or if its MD5 differs; the last two name the
    address and the place to put a file that is fetched by hand.
    """
    if path.is_file():
        return check(path, md5)
    part = path.with_name(f"{path.name}.part")
    by_hand = f"fetch it by hand (md5 {md5}) and put it there"
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        _transfer(url, part)
    except (OSError, urllib.error.URLError) as error:
        if lacks_room(error):
            raise UserError(f"{path}: the disk is full; make room and run again") from None
        raise UserError(f"{path}: could not be fetched from {url} ({error}); run again, or {by_hand}") from None
    found = digest(part)
    if found != md5:
        part.unlink()
        raise UserError(f"{path}: the file at {url} is not the published one (md5 {found}); {by_hand}")
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def check(path: Path, md5: str) -> None:
    """Raise UserError if a file, perhaps put there by hand, is not the published one."""
    if (found := digest(path)) != md5:
        raise UserError(f"{path}: not the published file (md5 {found}, expected {md5}); delete it and fetch it again")


def digest(path: Path) -> str:
    """Return the md5 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _transfer(url: str, part: Path) -> None:
    """Append the missing bytes to `part`; start over if the server does not resume."""
    done = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={done}-"} if done else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            resumed = response.status == 206
            with part.open("ab" if resumed else "wb") as file:
                while chunk := response.read(_CHUNK):
                    file.write(chunk)
            expected = (done if resumed else 0) + int(response.headers.get("Content-Length", 0))
    except urllib.error.HTTPError as error:
        if error.code == 416 and done:  # it was complete already
            return
        raise
    if part.stat().st_size < expected:
        raise OSError(f"interrupted after {part.stat().st_size} of {expected} bytes")

"""What the first or last bytes of a file of predictions show, without the packages that read it.

Rules import this: of a file no more is read than the names of its columns.
"""

import re
import zipfile
from pathlib import Path

_LISTS = ("logits", "probabilities", "probs", "log_probabilities", "log_probs")  # of columns and arrays
_MOST_BYTES = 2**20  # of a header, or a footer


def lacks_logits(path: Path) -> bool:
    """Return whether a file surely has no logits; False where it cannot be read so, and the job that reads it says."""
    try:
        has = _HAVE[path.suffix.lower()](path)
    except (KeyError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False
    return has is False


def _csv(path: Path) -> bool | None:
    with path.open("rb") as file:
        header = file.readline(_MOST_BYTES).decode()  # raises ValueError where it is no text, or UTF-16
    return re.search(r"\blogit_0\b", header) is not None if header.strip() else None


def _npz(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return not {*archive.namelist()}.isdisjoint(f"{name}.npy" for name in _LISTS)


def _parquet(path: Path) -> bool | None:
    with path.open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 8))
        length, magic = int.from_bytes(file.read(4), "little"), file.read(4)
        if magic != b"PAR1" or not 0 < length <= min(_MOST_BYTES, end - 8):
            return None
        file.seek(end - 8 - length)
        footer = file.read(length)
    # Thrift writes a name after its length.
    return any(bytes([len(name)]) + name.encode() in footer for name in (*_LISTS, "logit_0"))


_HAVE = {".csv": _csv, ".npz": _npz, ".parquet": _parquet}

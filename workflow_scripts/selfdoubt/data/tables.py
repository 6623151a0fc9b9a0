"""Images in Parquet files: the embedded data sets, and the layout of the Hugging Face hub.

A row has a label and an image: a file's bytes in one of `decoding.FORMATS`, bare or as {"bytes": …, "path": …}. Labels
may be text or any integers: they become rows of the sorted names of the training labels. Columns are called `image` (or
`img`) and `label` (or `labels`, `fine_label`). Optional are `image_id`, `mask` (an image, above 0 on the object) and
`label_probabilities` (of labels of several people: lists of a number for each class, in the order of the sorted names).
"""

import errno
import json
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from selfdoubt.data import label_probabilities
from selfdoubt.data.raw import Encoded, Pool, Raw
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.listing import unreadable
from selfdoubt.settings.table_columns import LABELS

_COLUMNS = {"image": ("image", "img"), "label": LABELS, "image_id": ("image_id",)}
_COLUMNS |= {name: (name,) for name in ("mask", "label_probabilities")}
_NEEDED = ("image", "label")


def read(files: dict[str, list[Path]]) -> Raw:
    """Read the files of each split; images stay encoded.

    files: by split, "train" among them. Raises UserError if a file is no such table, or if a label is not in train.
    """
    tables = {split: [_read(path) for path in paths] for split, paths in files.items()}
    _check_types({path: t for split, paths in files.items() for path, t in zip(paths, tables[split], strict=True)})
    labels = {split: pa.chunked_array([c for t in found for c in t["label"].chunks]) for split, found in tables.items()}
    names = sorted(pc.unique(labels["train"]).to_pylist())
    class_names = _class_names([path for paths in files.values() for path in paths])
    pools = {}
    for split, found in tables.items():
        rows = pc.index_in(labels[split], pa.array(names, labels[split].type))
        if rows.null_count:
            absent = labels[split].filter(pc.is_null(rows))[0].as_py()
            raise UserError(f"{files[split][0]}: label {absent!r} is not in train; add it there, or remove its rows")
        pools[split] = Pool(
            _encoded("image", found, files[split]),
            rows.to_numpy().astype(np.int64),
            _image_ids(found, files[split]),
            _encoded("mask", found, files[split]) if _all_have("mask", found) else None,
            _label_probabilities(found, files[split], len(names)),
        )
    is_known = [isinstance(name, int) and 0 <= name < len(class_names) for name in names]
    return Raw(pools, [class_names[name] if known else str(name) for name, known in zip(names, is_known, strict=True)])


def check_alike(pooled: dict[str, list[Path]]) -> None:
    """Raise UserError if configurations, the files of each by its folder, differ in used columns or in classes."""
    seen = {}
    for name, paths in pooled.items():
        columns, labels = set(), set()
        for path in paths:
            table = _read(path, only=("label",))
            columns |= _used(pq.read_schema(path).names).items()
            labels |= set(pc.unique(table["label"]).to_pylist())
        seen[name] = {"columns": sorted(name for _, name in columns), "classes": sorted(labels, key=str)}
    first, *others = seen
    for other, what in product(others, ("columns", "classes")):
        if seen[other][what] != seen[first][what]:
            names = " and ".join(name or "the top folder" for name in (first, other))
            apart = sorted({*seen[first][what]} ^ {*seen[other][what]}, key=str)[:3]
            found = f"{what} of {names} differ, such as {', '.join(map(str, apart))}"
            raise UserError(f"{pooled[other][0]}: {found}; give the folder of one, or put all into one folder")


def _used(known: list[str]) -> dict[str, str]:
    """Return what columns of a file are called, of those that are read."""
    used = {wanted: next((n for n in names if n in known), None) for wanted, names in _COLUMNS.items()}
    return {wanted: name for wanted, name in used.items() if name}


def _read(path: Path, only: tuple[str, ...] = tuple(_COLUMNS)) -> pa.Table:
    """Return a file's columns image (binary), label and those others that it has, without nulls, or some of them."""
    try:
        known = pq.read_schema(path).names
        used = {wanted: name for wanted, name in _used(known).items() if wanted in only}
        table = pq.read_table(path, columns=list(used.values()), partitioning=None)
    except MemoryError:
        raise
    except PermissionError:
        raise unreadable(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES))) from None  # Arrow's is long
    except Exception as error:  # which ones Arrow raises is not documented
        if getattr(error, "errno", None):  # of the disk
            raise
        raise UserError(f"{path}: not a whole Parquet file ({_line(error)}); restore the file") from None
    for wanted in _NEEDED:
        if wanted in only and wanted not in used:
            raise UserError(f"{path}: has no column '{wanted}'; columns: {', '.join(known)}")
    if not len(table):
        raise UserError(f"{path}: has no rows; restore the file, or remove it")
    for wanted in [wanted for wanted in used if wanted not in _NEEDED]:
        if _null_throughout(table[used[wanted]]):
            print(f"{path}: column '{used.pop(wanted)}' is null in every row, and is ignored", flush=True)
    return pa.table({wanted: _converted(table, name, _AS[wanted], path) for wanted, name in used.items()})


def _null_throughout(column: pa.ChunkedArray) -> bool:
    if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        column = pc.struct_field(column, "bytes")
    return column.null_count == len(column)


def _converted(table: pa.Table, name: str, convert: Callable, path: Path) -> pa.ChunkedArray:
    """Return a column as it is wanted; raises UserError, with both names, if it has nulls or is of another type."""
    try:
        column = convert(table[name])
    except MemoryError:
        raise
    except Exception as error:
        raise UserError(f"{path}: column '{name}': {_line(error)}; convert it") from None
    if column.null_count:
        raise UserError(f"{path}: column '{name}': {column.null_count} of {len(column)} rows are null; remove them")
    return column


def _line(error: Exception) -> str:
    return str(error).split("\n")[0] or type(error).__name__


def _labels(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.utf8_normalize(column.cast(pa.string()), form="NFC")  # as names of class folders are
    raise TypeError(f"labels are {column.type}, expected integers or text")


def _bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        column = pc.struct_field(column, "bytes")
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise TypeError(f"images are {column.type}, expected the bytes of image files")
    return column


def _lists(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not (
        pa.types.is_list(column.type) or pa.types.is_large_list(column.type) or pa.types.is_fixed_size_list(column.type)
    ):
        raise TypeError(f"label_probabilities are {column.type}, expected a list of numbers in each row")
    return column


_AS = {"image": _bytes, "mask": _bytes, "label": _labels, "image_id": lambda column: column}
_AS |= {"label_probabilities": _lists}


def _check_types(tables: dict[Path, pa.Table]) -> None:
    """Raise UserError if labels are text in one file and integers in another."""
    first = next(iter(tables))
    for path, table in tables.items():
        if (found := table["label"].type) != (expected := tables[first]["label"].type):
            name = _used(pq.read_schema(path).names)["label"]
            what = f"labels are {found}, but {expected} in {first}"
            raise UserError(f"{path}: column '{name}': {what}; give both the same type")


def _class_names(paths: list[Path]) -> list[str]:
    """Return the names of the classes 0, 1, …, where the hub's library has written them into the files.

    Names that are no list of texts are ignored, with a note. Raises UserError if two files have different ones.
    """
    named = {path: names for path in paths if (names := _written_names(path))}
    for path, names in named.items():
        first = next(iter(named))
        if names != named[first]:
            raise UserError(f"{path}: its metadata has other names of classes than {first}; make them the same")
    return next(iter(named.values()), [])


def _written_names(path: Path) -> list[str]:
    text = (pq.read_schema(path).metadata or {}).get(b"huggingface")
    if text is None:
        return []
    try:
        features = json.loads(text)["info"]["features"]
        names = next((features[name].get("names", []) for name in _COLUMNS["label"] if name in features), [])
        if isinstance(names, list) and all(isinstance(name, str) and name.encode() for name in names):
            return names
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):  # no JSON, or of any other form
        pass
    print(f"{path}: its metadata cannot be read; classes are called by their labels", flush=True)
    return []


def _image_ids(found: list[pa.Table], paths: list[Path]) -> np.ndarray | None:
    """Return the column image_id, int32; None, with a note, if its values are not integers that are given once."""
    if not _all_have("image_id", found):
        return None
    if all(pa.types.is_integer(table["image_id"].type) for table in found):
        ids = np.concatenate([table["image_id"].to_numpy() for table in found])
        if len(np.unique(ids)) == len(ids) and (ids == ids.astype(np.int32)).all():
            return ids.astype(np.int32)
    print(f"{paths[0].parent}: image_id holds no integers of 32 bits that are given once; rows are counted", flush=True)
    return None


def _all_have(column: str, found: list[pa.Table]) -> bool:
    return all(column in table.column_names for table in found)


def _label_probabilities(found: list[pa.Table], paths: list[Path], n_classes: int) -> np.ndarray | None:
    if not _all_have("label_probabilities", found):
        return None
    parts = [
        label_probabilities.of_column(table["label_probabilities"], n_classes, path)
        for table, path in zip(found, paths, strict=True)
    ]
    return np.concatenate(parts)


def _encoded(column: str, found: list[pa.Table], paths: list[Path]) -> Encoded:
    images = [image for table in found for image in table[column]]
    names = [f"{path}: row {i}" for path, table in zip(paths, found, strict=True) for i in range(len(table))]
    return Encoded(lambda i: images[i].as_py(), names)

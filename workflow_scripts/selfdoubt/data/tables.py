"""Images in Parquet files: the embedded data sets, and the layout of the Hugging Face hub.

A row has a label and an image: a file's bytes in one of `decoding.FORMATS`, bare or as {"bytes": …, "path": …}. Labels
may be text or any integers: they become rows of the sorted names of the training labels. Columns are called `image` (or
`img`) and `label` (or `labels`, `fine_label`); `image_id` and `mask` (an image, above 0 on the object) are optional.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from selfdoubt.data.raw import Encoded, Pool, Raw
from selfdoubt.runtime.errors import UserError

_IMAGE, _LABEL = ("image", "img"), ("label", "labels", "fine_label")


def read(files: dict[str, list[Path]]) -> Raw:
    """Read the files of each split; images stay encoded.

    files: by split, "train" among them. Raises UserError if a file is no such table, or if a label is not in train.
    """
    tables = {split: [_read(path) for path in paths] for split, paths in files.items()}
    labels = {split: pa.chunked_array([c for t in found for c in t["label"].chunks]) for split, found in tables.items()}
    names = sorted(pc.unique(labels["train"]).to_pylist())
    class_names = _class_names(files["train"][0])
    pools = {}
    for split, found in tables.items():
        rows = pc.index_in(labels[split], pa.array(names, labels[split].type))
        if rows.null_count:
            absent = labels[split].filter(pc.is_null(rows))[0].as_py()
            raise UserError(f"{files[split][0]}: label {absent!r} is not in train; add it there, or remove its rows")
        pools[split] = Pool(
            _encoded("image", found, files[split]),
            rows.to_numpy().astype(np.int64),
            _image_ids(found),
            _encoded("mask", found, files[split]) if all("mask" in table.column_names for table in found) else None,
        )
    is_known = [isinstance(name, int) and name < len(class_names) for name in names]
    return Raw(pools, [class_names[name] if known else str(name) for name, known in zip(names, is_known, strict=True)])


def _read(path: Path) -> pa.Table:
    """Return a file's columns image (binary), label and perhaps image_id and mask, without nulls."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, ValueError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: not a whole Parquet file ({reason}); restore the file") from None
    columns = {}
    for wanted, names in {"image": _IMAGE, "label": _LABEL, "image_id": ("image_id",), "mask": ("mask",)}.items():
        name = next((name for name in names if name in table.column_names), None)
        if name is not None:
            columns[wanted] = table[name]
        elif wanted in ("image", "label"):
            raise UserError(f"{path}: has no column '{wanted}'; columns: {', '.join(table.column_names)}")
    if not len(table) or any(column.null_count for column in columns.values()):
        raise UserError(f"{path}: has no rows, or rows with nulls; restore the file")
    for name in {"image", "mask"} & columns.keys():
        columns[name] = _bytes(columns[name], path)
    columns["label"] = _labels(columns["label"], path)
    return pa.table(columns)


def _class_names(path: Path) -> list[str]:
    """Return the names of the classes 0, 1, …, where the hub's library has written them into the file."""
    text = (pq.read_schema(path).metadata or {}).get(b"huggingface", b"{}")
    features = json.loads(text).get("info", {}).get("features", {})
    return next((features[name]["names"] for name in _LABEL if "names" in features.get(name, {})), [])


def _labels(column: pa.ChunkedArray, path: Path) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type):
        return column.cast(pa.int64())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.string())
    raise UserError(f"{path}: labels are {column.type}, expected integers or text; convert them")


def _bytes(column: pa.ChunkedArray, path: Path) -> pa.ChunkedArray:
    if pa.types.is_struct(column.type) and column.type.get_field_index("bytes") >= 0:
        column = pc.struct_field(column, "bytes")
    if not (pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)):
        raise UserError(f"{path}: images are {column.type}, expected the bytes of image files; convert them")
    return column


def _image_ids(found: list[pa.Table]) -> np.ndarray | None:
    if not all("image_id" in table.column_names for table in found):
        return None
    return np.concatenate([table["image_id"].to_numpy() for table in found]).astype(np.int32)


def _encoded(column: str, found: list[pa.Table], paths: list[Path]) -> Encoded:
    images = [image for table in found for image in table[column]]
    names = [f"{path}: row {i}" for path, table in zip(paths, found, strict=True) for i in range(len(table))]
    return Encoded(lambda i: images[i].as_py(), names)

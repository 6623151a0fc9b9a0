"""Tables as Parquet files: the only functions that write and read them. Their schemas are in `schemas`, one a module.

Tables are tidy. Identity is in columns, provenance in the file's metadata. A table is written to a
temporary name beside its target, fsynced and renamed, so that a file under its final name is whole; it is
checked against its schema when it is read. Nothing here writes a time, a host or a path, so that equal
work gives equal bytes.
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

LOG_PROBABILITIES = {"logits": "log probabilities"}  # in the metadata of predictions whose logits are such
_WHOLE_SIGNALS = ("predicted", "ood_class", "fold")
_ID_TYPES = (pa.int32(), pa.string())


def predictions_schema(
    n_classes: int | None, signals: tuple[str, ...] = (), ids: pa.DataType = _ID_TYPES[0]
) -> pa.Schema:
    """Return the schema of a predictions table: a row per image; OOD rows have label -1.

    n_classes: None where the model's logits are not known, but `predicted` and confidences (float64, named as scores).
    ids: text, where predictions were made elsewhere and their images have names.

    signals: names of further columns, float32 but for three of int16: `predicted`, the label that the variant reports
    where that is not the argmax of its logits, `ood_class`, the class of an out-of-distribution image in a numbering
    of its own split, -1 for all others, and `fold`, of `val`: the fold of an out-of-fold prediction, -1 for all others.
    """
    columns = [("split", pa.string()), ("image_id", ids), ("label", pa.int16())]
    if n_classes is not None:
        columns += [("logits", pa.list_(pa.field("item", pa.float32(), nullable=False), n_classes))]
    number = pa.float64() if n_classes is None else pa.float32()
    return pa.schema([*columns, *((name, pa.int16() if name in _WHOLE_SIGNALS else number) for name in signals)])


def write_table(path: str | Path, table: pa.Table, schema: pa.Schema, metadata: dict | None = None) -> None:
    """Write `table` under `schema` atomically; `metadata` (JSON-able) goes into the file's key-values.

    Raises pyarrow.ArrowInvalid if a column does not fit the schema: that is a programming error.
    """
    table = table.select(schema.names)
    if not table.schema.equals(schema):
        table = table.cast(schema)  # for which pyarrow imports all that it can compute
    own = {"selfdoubt": json.dumps(metadata or {}, sort_keys=True)}
    table = table.replace_schema_metadata(own)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def write_rows(path: str | Path, rows: list[dict], schema: pa.Schema, metadata: dict | None = None) -> None:
    """Write a list of dictionaries, one a row, as `write_table` does."""
    write_table(path, pa.Table.from_pylist(rows, schema=schema), schema, metadata)


def read_table(path: str | Path, schema: pa.Schema | None = None, remedy: str = "delete it and run again") -> pa.Table:
    """Read a table and check it against `schema`; without one it is a predictions table, in which nothing is null.

    Raises UserError if the file is missing, truncated or of another schema; the message gives the remedy.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:  # read_table would import what finds many
            table = file.read()
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run snakemake to make it") from None
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:  # the file may be whole
            raise
        raise UserError(f"{path}: not a whole Parquet file ({_first_line(error)}); {remedy}") from None
    expected = schema or _predictions_schema_of(path, table.schema)
    if fault := _fault(table.schema, expected) or (None if schema else _null_in(table)):
        raise UserError(f"{path}: {fault}; {remedy}")
    return table


def read_metadata(path: str | Path) -> dict:
    """Return the metadata that `write_table` was given."""
    return metadata_of(pq.read_schema(path))


def metadata_of(schema: pa.Schema) -> dict:
    """Return the metadata that `write_table` was given, of a table that was read or of its file; else none."""
    try:
        found = json.loads((schema.metadata or {}).get(b"selfdoubt", b"{}"))
    except ValueError:  # of another program
        return {}
    return found if isinstance(found, dict) else {}


def _predictions_schema_of(path, found: pa.Schema) -> pa.Schema:
    kinds = dict(zip(found.names, found.types, strict=True))
    logits = kinds.get("logits")
    if not (pa.types.is_fixed_size_list(logits) if logits else "predicted" in kinds):
        raise UserError(f"{path}: not a predictions table: no fixed-size list column 'logits'; columns: {found.names}")
    signals = tuple(name for name in found.names if name not in ("split", "image_id", "label", "logits"))
    ids = kinds.get("image_id")
    return predictions_schema(logits and logits.list_size, signals, ids if ids in _ID_TYPES else _ID_TYPES[0])


def _fault(found: pa.Schema, expected: pa.Schema) -> str | None:
    """Return how a schema is not the expected one."""
    for field in expected:
        at = found.get_all_field_indices(field.name)
        if len(at) != 1:
            return f"column '{field.name}' is {'there twice' if at else 'missing'}"
        if not _alike(got := found.field(at[0]).type, field.type):
            return f"column '{field.name}' is {got}, expected {field.type}"
    return None


def _alike(found: pa.DataType, expected: pa.DataType) -> bool:
    """Return whether two types are the same, but for whether the numbers of a list might be null."""
    if pa.types.is_fixed_size_list(found) and pa.types.is_fixed_size_list(expected):
        return (found.value_type, found.list_size) == (expected.value_type, expected.list_size)
    return found == expected


def _null_in(table: pa.Table) -> str | None:
    """Return which column of a predictions table lacks a value."""
    columns = {name: table[name] for name in table.column_names}
    lists = {name: c for name, c in columns.items() if pa.types.is_fixed_size_list(c.type)}
    without = [name for name, c in columns.items() if c.null_count]
    without += [name for name, c in lists.items() if any(chunk.flatten().null_count for chunk in c.chunks)]
    return f"column '{without[0]}' has a row without a value" if without else None


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0]

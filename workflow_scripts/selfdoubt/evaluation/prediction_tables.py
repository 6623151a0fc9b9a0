"""Tables of predictions: logits for every image of every split, and the signals that a variant has of its own."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from selfdoubt.runtime import table_files


def write_predictions(
    path: Path,
    splits: dict,
    logits: dict[str, np.ndarray] | None,
    signals: dict[str, dict[str, np.ndarray]] | None = None,
    metadata: dict | None = None,
) -> None:
    """Write a predictions table: a row per image, split after split.

    splits: name -> Split; the classes of OOD images become a column where they are known. logits: name -> (n, K), None
    where they are not known. signals: column -> name -> (n,), the variant's own.
    """
    names, signals = list(splits), dict(signals or {})
    if any(split.ood_classes is not None for split in splits.values()):
        signals["ood_class"] = {name: _ood_classes(split) for name, split in splits.items()}
    joined = None if logits is None else np.concatenate([logits[name] for name in names]).astype(np.float32)
    ids = np.concatenate([splits[name].image_ids for name in names])
    id_type = pa.int32() if ids.dtype.kind in "iu" else pa.string()
    schema = table_files.predictions_schema(None if joined is None else joined.shape[1], tuple(signals), id_type)
    columns = {
        "split": np.repeat(names, [len(splits[name].labels) for name in names]),
        "image_id": pa.array(ids, id_type),
        "label": np.concatenate([splits[name].labels for name in names]).astype(np.int16),
    }
    if joined is not None:
        columns["logits"] = pa.FixedSizeListArray.from_arrays(joined.ravel(), type=schema.field("logits").type)
    columns |= {signal: np.concatenate([found[name] for name in names]) for signal, found in signals.items()}
    table_files.write_table(path, pa.table(columns), schema, metadata)


def write_with_signals(path: Path, table: pa.Table, signals: dict[str, np.ndarray], metadata: dict) -> None:
    """Write a predictions table of logits with further columns, float (n,)."""
    logits, ids = table.schema.field("logits").type, table.schema.field("image_id").type
    known = [name for name in table.column_names if name not in ("split", "image_id", "label", "logits")]
    for name, values in signals.items():
        table = table.append_column(name, pa.array(values, pa.float32()))
    schema = table_files.predictions_schema(logits.list_size, (*known, *signals), ids)
    table_files.write_table(path, table, schema, metadata)


def _ood_classes(split) -> np.ndarray:
    return np.full(len(split.labels), -1) if split.ood_classes is None else split.ood_classes

"""Gains of an image's two top classes, kept image by image for the information test."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from selfdoubt.runtime.schemas.gains import GAINS_SCHEMA


class KeptGains(NamedTuple):
    """Of the m images of a split about which a group is uncertain."""

    rows: np.ndarray  # int (m,) of the split
    candidates: np.ndarray  # int (m, 2) the two classes of largest prior probability
    gains: np.ndarray  # (m, 2, F) of each pair of sender and listener, or of each member


def of_members(rows: np.ndarray, log_prior: np.ndarray, before: list[np.ndarray], after: list[np.ndarray]) -> KeptGains:
    """Return what each member's log p of the two classes of largest prior gains from before to after.

    rows: (m,) of the split. log_prior: (m, K). before, after: log probabilities (m, K) of each member.
    """
    candidates = np.argsort(-log_prior, axis=1, kind="stable")[:, :2]
    changes = [later - earlier for earlier, later in zip(before, after, strict=True)]
    gains = [np.take_along_axis(change, candidates, axis=1) for change in changes]
    return KeptGains(rows, candidates, np.stack(gains, axis=-1))


def to_table(kept: dict[str, KeptGains], splits: dict) -> pa.Table:
    """Return a table of GAINS; kept: by split. Gains are rounded to float16."""
    parts = [GAINS_SCHEMA.empty_table()]
    for name, found in kept.items():
        columns = {"split": [name] * len(found.rows), "image_id": splits[name].image_ids[found.rows]}
        for i, place in enumerate(("first", "second")):
            columns |= {place: found.candidates[:, i], f"gains_of_{place}": [*found.gains[:, i].astype(np.float16)]}
        arrays = [pa.array(columns[field.name], field.type) for field in GAINS_SCHEMA]
        parts.append(pa.Table.from_arrays(arrays, schema=GAINS_SCHEMA))
    return pa.concat_tables(parts)


def from_table(table: pa.Table, split: str, image_ids: np.ndarray) -> KeptGains:
    """Return the gains of a split of a table of GAINS; image_ids: (n,) rising, those of the split's rows."""
    table = table.filter(pa.array([name == split for name in table["split"].to_pylist()], pa.bool_()))
    both = [_numbers(table, f"gains_of_{place}") for place in ("first", "second")]
    candidates = np.stack([table[place].to_numpy().astype(np.int64) for place in ("first", "second")], axis=1)
    return KeptGains(np.searchsorted(image_ids, table["image_id"].to_numpy()), candidates, np.stack(both, axis=1))


def _numbers(table: pa.Table, column: str) -> np.ndarray:
    flat = table[column].combine_chunks().flatten().to_numpy(zero_copy_only=False).astype(np.float64)
    return flat.reshape(len(table), -1) if len(table) else np.zeros((0, 0))

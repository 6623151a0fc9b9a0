"""Soft labels: the targets of every view of every epoch of a stream, computed once, read by all students of them.

They are a teacher's logits, or the logarithm of several teachers' mean probability with their mutual information.

An Arrow IPC file with rows in the order in which the images are shown, so that a student reads on from where it is,
through a memory map. Logits are kept in float16; with top_k, those of the k most probable classes only, and the rest of
the probability is spread evenly over the other classes: an approximation, off by default. It is exact in the total
probability of the other classes at temperature 1; a higher temperature makes that larger than it was, as it raises
equal probabilities most.
"""

import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import torch

from selfdoubt.runtime import devices
from selfdoubt.runtime.atomic_files import atomic_path
from selfdoubt.runtime.errors import UserError

_CHUNK = 8192  # rows that are written, and mapped, at once
_KEY = b"selfdoubt"
_TYPES = {"logits": pa.float16(), "classes": pa.int32(), "rest": pa.float16(), "mutual_information": pa.float32()}


class Targets(NamedTuple):
    """What a student is to learn of a batch."""

    logits: torch.Tensor  # (b, K), float32: a teacher's, or the logarithm of the mean probability of several
    mutual_information: torch.Tensor | None = None  # (b,), float32, nats, of several: H(mean p) - mean H(p)


def compress(targets: Targets, top_k: int | None) -> dict[str, torch.Tensor]:
    """Return what is stored of targets: `logits` (b, K) in float16, or those of the top_k `classes` and `rest`.

    rest: the logit (b, 1) of each of the other K - k classes, were they equally probable. Of several teachers, their
    `mutual_information` (b, 1) is beside these.
    """
    logits, information = targets
    beside = {} if information is None else {"mutual_information": information[:, None]}
    if top_k is None or top_k >= logits.shape[1]:
        return {"logits": logits.half(), **beside}
    largest, classes = logits.topk(top_k)
    others = logits.scatter(1, classes, -torch.inf).logsumexp(1, keepdim=True)
    rest = others - np.log(logits.shape[1] - top_k)
    return {"logits": largest.half(), "classes": classes.int(), "rest": rest.half(), **beside}


def expand(stored: dict[str, torch.Tensor], n_classes: int) -> Targets:
    """Return targets of n_classes from what `compress` returned."""
    information = stored["mutual_information"][:, 0] if "mutual_information" in stored else None
    if "classes" not in stored:
        return Targets(stored["logits"].float(), information)
    full = stored["rest"].float().expand(-1, n_classes).clone()
    return Targets(full.scatter_(1, stored["classes"].long(), stored["logits"].float()), information)


# ---- files ----


class SoftLabels:
    """A file of soft labels in the place of one teacher or several."""

    def __init__(self, path: str | Path, device: torch.device):
        """Open a file; raises UserError if it is missing, truncated or something else."""
        self.metadata, self._chunks = _open(path)
        self._n_rows, self._device = self.metadata["rows_per_epoch"], device
        rows = sum(chunk.num_rows for chunk in self._chunks)
        expected = self._n_rows * self.metadata["epochs"]
        if rows != expected:
            raise UserError(f"{path}: holds {rows} rows of soft labels, expected {expected}; delete it and run again")

    def targets(self, batch) -> Targets:
        """Return the targets of a batch of the stream that the file was made from."""
        start = batch.epoch * self._n_rows + batch.rows.start
        stop = batch.epoch * self._n_rows + batch.rows.stop
        pieces, first = [], start // _CHUNK
        for i in range(first, -(-stop // _CHUNK)):
            piece = slice(max(start - i * _CHUNK, 0), stop - i * _CHUNK)
            pieces.append({name: column[piece] for name, column in _columns(self._chunks[i]).items()})
        joined = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
        stored = {name: torch.from_numpy(array[:: batch.rows.step]) for name, array in joined.items()}
        sent = {name: devices.sent(tensor, self._device) for name, tensor in stored.items()}
        return expand(sent, self.metadata["n_classes"])


def write(path: str | Path, teachers, stream, epochs: int, metadata: dict) -> None:
    """Write the targets of every batch of a stream's epochs, atomically.

    They are those that a student would get in training: the same batches, on the same device. teachers: a
    `teachers.Teachers`. metadata: JSON-able.
    """
    with atomic_path(path) as temporary, pa.OSFile(str(temporary), "wb") as file:
        writer = None
        for epoch in range(epochs):
            for batch in stream.epoch(epoch):
                targets = teachers.exact(batch)
                stored = {name: tensor.cpu().numpy() for name, tensor in compress(targets, teachers.top_k).items()}
                if writer is None:  # the first batch: now the columns are known
                    known = {"epochs": epochs, "rows_per_epoch": stream.rows_per_epoch}
                    writer = _Writer(file, stored, metadata | known | {"n_classes": targets.logits.shape[1]})
                writer.add(stored)
        writer.close()


def write_refusal(path: str | Path, reason: str, metadata: dict) -> None:
    """Write a file without soft labels, which makes the students run their teachers themselves."""
    with atomic_path(path) as temporary, pa.OSFile(str(temporary), "wb") as file:
        _Writer(file, {}, metadata | {"refused": reason}).close()


def is_refusal(path: str | Path) -> bool:
    """Return whether a file is one of `write_refusal`; raises UserError as SoftLabels does."""
    return "refused" in _open(path)[0]


def read(path: str | Path, device: torch.device) -> SoftLabels | None:
    """Return the soft labels of a file, or None if it holds a refusal, which is printed.

    Raises UserError as SoftLabels does.
    """
    if is_refusal(path):
        print(f"{path}: {_open(path)[0]['refused']}", flush=True)
        return None
    return SoftLabels(path, device)


def estimate(teachers, stream, epochs: int) -> tuple[float, float]:
    """Return the gigabytes that the file would take and the seconds of making it, extrapolated from one batch."""
    batch = next(iter(stream.epoch(0)))
    teachers.exact(batch).logits.cpu()  # the first call is slower; a GPU is waited for
    start = time.perf_counter()
    targets = teachers.exact(batch)
    targets.logits.cpu()
    seconds = (time.perf_counter() - start) * stream.n_batches * epochs
    bytes_a_row = sum(t[:1].numel() * t.element_size() for t in compress(targets, teachers.top_k).values())
    return bytes_a_row * stream.rows_per_epoch * epochs / 1e9, seconds


def _open(path: str | Path) -> tuple[dict, list[pa.RecordBatch]]:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        metadata = json.loads((reader.schema.metadata or {})[_KEY])
        return metadata, [reader.get_batch(i) for i in range(reader.num_record_batches)]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run snakemake to make it") from None
    except (pa.ArrowInvalid, OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not a whole file of soft labels ({error}); delete it and run again") from None


class _Writer:
    """Writes rows of equal columns in chunks of _CHUNK, the last one smaller."""

    def __init__(self, file, like: dict[str, np.ndarray], metadata: dict):
        fields = [(name, pa.list_(_TYPES[name], array.shape[1])) for name, array in like.items()]
        self._schema = pa.schema(fields, metadata={_KEY: json.dumps(metadata, sort_keys=True).encode()})
        self._file, self._waiting = pa.ipc.new_file(file, self._schema), []

    def add(self, rows: dict[str, np.ndarray]) -> None:
        self._waiting.append(rows)
        while sum(len(waiting["logits"]) for waiting in self._waiting) >= _CHUNK:
            self._write()

    def close(self) -> None:
        if self._waiting:
            self._write()
        self._file.close()

    def _write(self) -> None:
        joined = {name: np.concatenate([rows[name] for rows in self._waiting]) for name in self._schema.names}
        columns = [
            pa.FixedSizeListArray.from_arrays(pa.array(joined[field.name][:_CHUNK].ravel()), type=field.type)
            for field in self._schema
        ]
        self._file.write_batch(pa.record_batch(columns, schema=self._schema))
        left = {name: array[_CHUNK:] for name, array in joined.items()}
        self._waiting = [left] if len(left["logits"]) else []


def _columns(chunk: pa.RecordBatch) -> dict[str, np.ndarray]:
    """Return a chunk's columns as arrays (rows, k) that lie in the memory map."""
    arrays = {field.name: chunk.column(field.name) for field in chunk.schema}
    return {name: a.flatten().to_numpy(zero_copy_only=True).reshape(len(a), -1) for name, a in arrays.items()}

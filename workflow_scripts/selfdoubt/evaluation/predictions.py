"""Predictions of a model by split, as arrays, and whose images they are."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.threads import cached_property

LEAST = 1e-300  # what a probability of 0 counts as, where it was written so
_OF_ROWS = ("split", "image_id", "logits")  # all other columns are numbers of which some score or check makes use
_BY_ROW = ("labels", "predicted", "ood_classes", "image_ids")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model predicts of the n images of one split."""

    logits: np.ndarray | None  # float (n, C); None: not known, but `predicted`, and confidences by score in `signals`
    labels: np.ndarray  # int (n,), -1 where out of distribution
    predicted: np.ndarray | None = None  # int (n,), where the predicted class is not the argmax of the logits
    ood_classes: np.ndarray | None = None  # int (n,), classes of out-of-distribution images, where they are known
    signals: dict[str, np.ndarray] | None = None  # further columns by name, (n,), from which scores may be read
    of_probabilities: bool = False  # whether the logits are known to be logarithms of probabilities
    decimal_places: int | None = None  # to which the probabilities or confidences are rounded; None: they are not
    image_ids: np.ndarray | None = None  # (n,) numbers or texts, each once and ascending; None: rows are the images

    @cached_property
    def correct(self) -> np.ndarray:
        """(n,) bool: whether the predicted class is the label."""
        return self.labels == self.classes

    @property
    def classes(self) -> np.ndarray:
        """(n,) int: the predicted classes."""
        return self.logits.argmax(-1) if self.predicted is None else self.predicted

    def rows(self, order: np.ndarray | slice, logits: np.ndarray | None = None) -> "Predictions":
        """Return some of the rows, in this order; logits: those of these rows, where they are at hand already."""
        own = {name: None if (of := getattr(self, name)) is None else of[order] for name in _BY_ROW}
        signals = {name: values[order] for name, values in (self.signals or {}).items()}
        logits = self.logits[order] if logits is None and self.logits is not None else logits
        return replace(self, logits=logits, signals=signals, **own)


# ---- whose images ----


def order_of_ids(ids: np.ndarray, where: str) -> np.ndarray | None:
    """Return the order in which ids ascend, None where they do: the one in which the rows of models are paired.

    Raises UserError if an id is there twice; where: the file, and the split if it has several.
    """
    if (ids[1:] > ids[:-1]).all():
        return None
    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(ids[order][1:] == ids[order][:-1])
    if len(twice):
        found = ids[order][twice[0]]
        raise UserError(f"{where}: image_id {found} is there twice; give each image one row")
    return order


def id_difference(one: Predictions, other: Predictions) -> str | None:
    """Return how the images of two predictions differ by their ids, with an example; None where they do not."""
    ids, others = one.image_ids, other.image_ids
    if ids is None and others is None:
        return None
    if ids is None or others is None:
        return "one has image ids and the other has none"
    if np.array_equal(ids, others):
        return None
    if ids.dtype.kind != others.dtype.kind:
        ids, others = ids.astype(str), others.astype(str)
    alone = [*np.setdiff1d(ids, others)[:1], *np.setdiff1d(others, ids)[:1]]
    return f"image_id {alone[0]} is in one and not in the other" if alone else None


# ---- tables ----


def predictions_by_split(table: pa.Table, path: object = "predictions") -> dict[str, Predictions]:
    """Return the predictions of each split of a predictions table, in order of appearance; their rows by image.

    Raises UserError that names the path if an image is in a split twice.
    """
    columns = {name: table.column(name).to_numpy() for name in table.column_names if name not in _OF_ROWS}
    labels = columns.pop("label").astype(np.int64)
    predicted, ood_classes = columns.pop("predicted", None), columns.pop("ood_class", None)
    metadata = table_files.metadata_of(table.schema)
    of_probabilities = table_files.LOG_PROBABILITIES.items() <= metadata.items()
    ids = table.column("image_id").to_numpy()
    ids = ids.astype(str) if ids.dtype == object else ids
    places = metadata.get("decimal_places")
    whole = Predictions(_logits(table), labels, predicted, ood_classes, columns, of_probabilities, places, ids)
    split = table.column("split").combine_chunks().dictionary_encode()
    codes, found = split.indices.to_numpy(), {}
    for code, name in enumerate(split.dictionary.to_pylist()):
        at = np.flatnonzero(codes == code)
        order = order_of_ids(ids[at], f"{path}: {name}")
        in_place = order is None and at[-1] - at[0] + 1 == len(at)
        found[name] = whole.rows(slice(at[0], at[-1] + 1) if in_place else at if order is None else at[order])
    return found  # of which a slice copies nothing


def _logits(table: pa.Table) -> np.ndarray | None:
    if "logits" not in table.column_names:
        return None
    logits = table.column("logits").combine_chunks()
    return logits.flatten().to_numpy().reshape(len(logits), logits.type.list_size)

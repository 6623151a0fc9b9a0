"""Predictions of a model by split, as arrays."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from selfdoubt.runtime import table_files
from selfdoubt.runtime.threads import cached_property

_OF_ROWS = ("split", "image_id", "logits")  # all other columns are numbers of which some score or check makes use


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model predicts of the n images of one split."""

    logits: np.ndarray  # float (n, C)
    labels: np.ndarray  # int (n,), -1 where out of distribution
    predicted: np.ndarray | None = None  # int (n,), where the predicted class is not the argmax of the logits
    ood_classes: np.ndarray | None = None  # int (n,), classes of out-of-distribution images, where they are known
    signals: dict[str, np.ndarray] | None = None  # further columns by name, (n,), from which scores may be read
    of_probabilities: bool = False  # whether the logits are known to be logarithms of probabilities

    @cached_property
    def correct(self) -> np.ndarray:
        """(n,) bool: whether the predicted class is the label."""
        return self.labels == (self.logits.argmax(-1) if self.predicted is None else self.predicted)


def predictions_by_split(table: pa.Table) -> dict[str, Predictions]:
    """Return the predictions of each split of a predictions table, in order of appearance."""
    logits = table.column("logits").combine_chunks()
    numbers = logits.flatten().to_numpy().reshape(len(logits), logits.type.list_size)
    columns = {name: table.column(name).to_numpy() for name in table.column_names if name not in _OF_ROWS}
    split = table.column("split").combine_chunks().dictionary_encode()
    codes = split.indices.to_numpy()
    of_probabilities = table_files.LOG_PROBABILITIES.items() <= table_files.metadata_of(table.schema).items()
    found = {}
    for code, name in enumerate(split.dictionary.to_pylist()):
        at = np.flatnonzero(codes == code)
        rows = slice(at[0], at[-1] + 1) if at[-1] - at[0] + 1 == len(at) else at  # a slice copies nothing
        signals = {column: values[rows] for column, values in columns.items()}
        labels = signals.pop("label").astype(np.int64)
        predicted, ood_classes = signals.pop("predicted", None), signals.pop("ood_class", None)
        found[name] = Predictions(numbers[rows], labels, predicted, ood_classes, signals, of_probabilities)
    return found

"""How a group decides from its members' predictions alone; no model is asked."""

import numpy as np
import pyarrow as pa
from scipy.special import log_softmax, logsumexp

from selfdoubt import schemas
from selfdoubt.errors import UserError


def mean_probability(logits: list[np.ndarray]) -> np.ndarray:
    """Return the log of the members' mean softmax: float64 (n, K), from logits (n, K) of each."""
    each = [log_softmax(member.astype(np.float64), axis=1) for member in logits]  # L x (n, K)
    return logsumexp(each, axis=0) - np.log(len(each))


def combine(tables: list[pa.Table], combination) -> pa.Table:
    """Return the group's predictions table from its members'; combination: one of COMBINATIONS.

    Raises UserError if the tables are not of the same images.
    """
    first, schema = tables[0], tables[0].schema
    for other in tables[1:]:
        if not all(other[key].equals(first[key]) for key in ("split", "image_id", "label")):
            raise UserError("predictions: the members' tables are not of the same images; delete them and run again")
    n_classes = schema.field("logits").type.list_size
    logits = combination([_logits(table, n_classes) for table in tables]).astype(np.float32)
    schema = schemas.predictions_schema(n_classes, ("ood_class",) if "ood_class" in first.column_names else ())
    column = pa.FixedSizeListArray.from_arrays(logits.ravel(), type=schema.field("logits").type)
    return first.set_column(first.schema.get_field_index("logits"), schema.field("logits"), column).select(schema.names)


def _logits(table: pa.Table, n_classes: int) -> np.ndarray:
    return table["logits"].combine_chunks().flatten().to_numpy().reshape(-1, n_classes)


COMBINATIONS = {"mean-probability": mean_probability}

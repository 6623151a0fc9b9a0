"""Thresholds with a bound on the risk, and conformal sets, a number a row."""

import pyarrow as pa

GUARANTEES_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("name", pa.string()),  # of a model or a group
        ("replicate", pa.int32()),
        ("variant", pa.string()),
        ("method", pa.string()),  # sgr, or of conformal sets lac, aps, raps
        ("score", pa.string()),  # whose confidence or probabilities they are of
        ("level", pa.float64()),  # of sgr the target risk, else alpha
        ("quantity", pa.string()),
        ("value", pa.float64()),  # null where the number does not exist; then `reason` is given
        ("n", pa.int64()),  # images; of broken-bounds re-splits
        ("reason", pa.string()),  # also of a coverage of 0 where no threshold has the bound
    ]
)

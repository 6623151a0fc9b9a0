"""The settings selected for each enhancer on val, and its passes per image."""

import pyarrow as pa

ENHANCEMENTS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("name", pa.string()),
        ("replicate", pa.int32()),
        ("variant", pa.string()),
        ("chosen", pa.string()),  # JSON: the method and the value of each of its settings
        ("tried", pa.string()),  # JSON: a list of candidates, of each its settings and its aurc on val, or its fpr95
        ("forwards", pa.float64()),  # of the model, for an image of test; the clean prediction included
        ("backwards", pa.float64()),
    ]
)

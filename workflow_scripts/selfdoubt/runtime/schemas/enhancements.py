"""What was chosen for each enhancer, and what it costs."""

import pyarrow as pa

ENHANCEMENTS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("name", pa.string()),
        ("replicate", pa.int32()),
        ("variant", pa.string()),
        ("chosen", pa.string()),  # JSON: the method and the value of each of its settings
        ("forwards", pa.float64()),  # of the model, for an image of test; the clean answer included
        ("backwards", pa.float64()),
    ]
)

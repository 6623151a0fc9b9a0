"""How far the labels of mixed images are from what is visible in them."""

import pyarrow as pa

MIXED_LABELS_SCHEMA = pa.schema(
    [
        ("statistic", pa.string()),  # of the labels of mixed images: see mixed_labels.measure
        ("value", pa.float64()),
        ("n", pa.int64()),  # mixed images of the first epoch
        ("reason", pa.string()),
    ]
)

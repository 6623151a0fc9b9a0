"""How far the labels of mixed images are from the visible fractions of their objects."""

import pyarrow as pa

MIXED_LABELS_SCHEMA = pa.schema(
    [
        ("statistic", pa.string()),  # of the labels of mixed images: see segmentation.label_error.measure
        ("value", pa.float64()),
        ("n", pa.int64()),  # mixed images of the first epoch
        ("reason", pa.string()),
    ]
)

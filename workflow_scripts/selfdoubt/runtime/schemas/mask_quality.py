"""How good a segmenter's masks are."""

import pyarrow as pa

MASK_QUALITY_SCHEMA = pa.schema(
    [
        ("stage", pa.string()),  # "pseudo-mask" (what the segmenter learned from) or "mask"
        ("statistic", pa.string()),
        ("value", pa.float64()),
        ("n", pa.int64()),
        ("reason", pa.string()),
        ("warning", pa.string()),  # why the masks are of no use (segmentation.mask_quality)
    ]
)

"""A group's protocols compared with its members."""

import pyarrow as pa

GROUPS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("group", pa.string()),
        ("protocol", pa.string()),  # or "oracle-selector" or "best-member", the references
        ("replicate", pa.int32()),
        ("split", pa.string()),
        ("quantity", pa.string()),  # those of communication.accounting
        ("value", pa.float64()),  # null where the number does not exist; then `reason` is given
        ("n", pa.int64()),  # number of images
        ("reason", pa.string()),
    ]
)

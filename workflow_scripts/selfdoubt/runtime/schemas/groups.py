"""What protocols make of the predictions of a group's members."""

import pyarrow as pa

GROUPS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("group", pa.string()),
        ("protocol", pa.string()),  # or "oracle-selector" or "best-member", against which protocols are held
        ("replicate", pa.int32()),
        ("split", pa.string()),
        ("quantity", pa.string()),  # groups.judge says which
        ("value", pa.float64()),  # null where the number does not exist; then `reason` says why
        ("n", pa.int64()),  # images that it is of
        ("reason", pa.string()),
    ]
)

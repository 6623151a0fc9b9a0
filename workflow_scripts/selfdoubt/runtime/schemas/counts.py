"""What a data set is made of."""

import pyarrow as pa

COUNTS_SCHEMA = pa.schema(
    [
        ("split", pa.string()),  # train, val, test; "all" where it concerns the source
        ("statistic", pa.string()),  # images, duplicates, converted, ignored files, configurations
        ("count", pa.int64()),
        ("note", pa.string()),
        ("label", pa.int16()),  # null where all classes together are counted
        ("class_name", pa.string()),
    ]
)

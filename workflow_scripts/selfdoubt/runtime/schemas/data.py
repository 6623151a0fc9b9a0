"""What the images of a run are known by, whatever files they came in."""

import pyarrow as pa

DATA_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("split", pa.string()),  # train, val, test, ood-NAME, or a re-collected test set by its name
        ("n", pa.int64()),  # images
        ("sha256", pa.string()),  # data.content.digest
        ("of", pa.string()),  # pixels, or names where images stay in their files
    ]
)

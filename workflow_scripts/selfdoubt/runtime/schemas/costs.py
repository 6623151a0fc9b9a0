"""What each job took."""

import pyarrow as pa

COSTS_SCHEMA = pa.schema(
    [
        ("rule", pa.string()),
        ("job", pa.string()),  # the wildcards of the job, joined by "/"
        ("seconds", pa.float64()),
        ("cpu_seconds", pa.float64()),
        ("max_rss_mb", pa.float64()),
    ]
)

"""What differs between two runs."""

import pyarrow as pa

CHANGES_SCHEMA = pa.schema(
    [
        ("kind", pa.string()),  # setting, arm, verdict, number or difference
        ("key", pa.string()),  # of a setting, with dots; a hypothesis; null of others
        ("dataset", pa.string()),
        ("arm", pa.string()),  # of a difference the better one
        ("than", pa.string()),
        ("split", pa.string()),
        ("score", pa.string()),
        ("metric", pa.string()),
        ("first", pa.float64()),  # mean over replicates, or the difference, in the first run
        ("first_low", pa.float64()),  # 95 %
        ("first_high", pa.float64()),
        ("second", pa.float64()),
        ("second_low", pa.float64()),
        ("second_high", pa.float64()),
        ("first_text", pa.string()),  # a setting as JSON, a verdict, why there is no number; null: not there
        ("second_text", pa.string()),
        ("beyond", pa.bool_()),  # whether the intervals have nothing in common; null where one is not known
    ]
)

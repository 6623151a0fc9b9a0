"""Parts of an arm's gap to a perfect ordering, a row each."""

import pyarrow as pa

GAPS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("name", pa.string()),  # of a model or a group
        ("variant", pa.string()),  # clean, an enhancer's or a protocol's name
        ("replicate", pa.int32()),
        ("split", pa.string()),
        ("score", pa.string()),
        ("part", pa.string()),  # gap, and what evaluation.gap_table computes beside it
        ("coverage_percent", pa.float64()),  # null: the mean over all coverages, of gap the e-AURC
        ("value", pa.float64()),  # a difference of accuracies; null where it is not known; then `reason` says why
        ("n", pa.int64()),
        ("reason", pa.string()),
    ]
)

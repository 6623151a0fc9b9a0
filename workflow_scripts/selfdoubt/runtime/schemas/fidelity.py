"""How alike students and their teachers predict, and where students gain, a row a number."""

import pyarrow as pa

FIDELITY_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("student", pa.string()),
        ("teacher", pa.string()),  # of several, "a, b": their mean probability
        ("reference", pa.string()),  # of a study, from which `value` is a difference; null: it is a value
        ("replicate", pa.int32()),
        ("split", pa.string()),
        ("quantity", pa.string()),  # those of evaluation.fidelity
        ("decile", pa.int32()),  # of the teacher's entropy, 1 the lowest; null: all images
        ("value", pa.float64()),  # null where the number does not exist; then `reason` is given
        ("n", pa.int64()),  # number of images of the split, or of the decile
        ("reason", pa.string()),
    ]
)

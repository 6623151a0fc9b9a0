"""The numbers of a model or group, a row each."""

import pyarrow as pa

METRICS_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("name", pa.string()),  # of a model or a group
        ("role", pa.string()),  # teacher, baseline, student, augmented, pretrained, group
        ("replicate", pa.int32()),
        ("variant", pa.string()),  # clean, an enhancer's or a protocol's name
        ("split", pa.string()),
        ("score", pa.string()),  # "none" where the metric needs no confidence score
        ("metric", pa.string()),
        ("value", pa.float64()),  # null where the number does not exist; then `reason` is given
        ("low", pa.float64()),  # 95 % percentile bootstrap over the samples; null where not requested
        ("high", pa.float64()),
        ("n", pa.int64()),
        ("reason", pa.string()),
        ("warning", pa.string()),  # at the accuracy on test: why the model carries no claim (evaluation.warnings)
    ]
)

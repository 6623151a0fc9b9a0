"""Differences between arms, paired by replicate."""

import pyarrow as pa

COLUMNS = [
    ("dataset", pa.string()),
    ("study", pa.string()),
    ("better", pa.string()),  # the arm claimed to be better: MODEL or MODEL/VARIANT
    ("than", pa.string()),
    ("metric", pa.string()),
    ("score", pa.string()),
    ("split", pa.string()),
    ("difference", pa.float64()),  # better minus than, mean over replicates
    ("low", pa.float64()),  # 95 %, of replicates and samples
    ("high", pa.float64()),
    ("p", pa.float64()),
    ("p_holm", pa.float64()),  # corrected within the study
    ("effect_size", pa.float64()),  # mean over standard deviation of the replicates' differences; null without a spread
    ("n_replicates", pa.int32()),
    ("reason", pa.string()),  # why there is no difference, or no interval
]

COMPARISONS_SCHEMA = pa.schema(COLUMNS)

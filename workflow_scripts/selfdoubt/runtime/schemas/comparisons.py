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
    ("p_holm", pa.float64()),  # corrected within the family; null where there is none
    ("standard_error", pa.float64()),
    ("degrees_of_freedom", pa.float64()),
    ("accuracy_part", pa.float64()),  # of a difference of AUGRC
    ("ranking_part", pa.float64()),
    ("effect_size", pa.float64()),  # mean over standard deviation of the replicates' differences; null without a spread
    ("n_replicates", pa.int32()),  # or pairs of networks
    ("reason", pa.string()),  # why there is no difference, or no interval
]

IDENTICAL = "the arms are identical"  # the reason where there is nothing to compare
UNDISTINGUISHED = "no image distinguishes the arms"  # where they differ, and the metric does not in any resample

COMPARISONS_SCHEMA = pa.schema(
    [
        *COLUMNS,
        ("hypothesis", pa.string()),  # the claim that it is a part of; null: exploratory
        ("repeats", pa.bool_()),  # whether it repeats that claim by another score, or by AUGRC
        # of what a claim is made of, and of what it must not lose; else null
        ("margin", pa.float64()),  # the smallest difference of interest
        ("low_family", pa.float64()),  # interval at the level at which the claim was tested in its family
        ("high_family", pa.float64()),
        # of what a claim is made of, at the level that its part in the claim asks for
        ("n_replicates_needed", pa.int32()),  # to find the difference that was seen, of a claim that is open
        ("n_replicates_negligible", pa.int32()),  # to call a true difference of 0 negligible; null: no number would do
    ]
)

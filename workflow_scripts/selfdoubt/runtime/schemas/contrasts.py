"""The comparisons of one data set's arms, with all that their verdicts need: no image is read for those."""

import pyarrow as pa

CONTRASTS_SCHEMA = pa.schema(
    [
        ("study", pa.string()),
        ("hypothesis", pa.string()),  # the claim that it is a part of; null: exploratory
        ("part", pa.string()),  # claimed; of that: loss, what must not be lost, and repeated, by another score
        ("dataset", pa.string()),
        ("better", pa.string()),
        ("than", pa.string()),
        ("metric", pa.string()),
        ("score", pa.string()),
        ("split", pa.string()),
        ("margin", pa.float64()),  # the smallest difference of interest
        ("accuracy_part", pa.float64()),  # of a difference of AUGRC
        ("ranking_part", pa.float64()),
        ("warning", pa.string()),
        ("n_replicates", pa.int32()),  # or pairs of networks
        ("difference", pa.float64()),
        ("reference", pa.float64()),  # the mean value of the arm that is compared with
        ("reason", pa.string()),  # why there is no contrast
        ("identical", pa.bool_()),
        ("exact", pa.bool_()),  # the same difference in every resample and replicate
        # the contrast (evaluation.contrasts); null where there is none
        ("differences", pa.list_(pa.float64())),  # of each replicate
        ("image_variance", pa.float64()),
        ("shared", pa.float64()),
        ("n_images", pa.int64()),
        ("overlap", pa.float64()),
    ]
)

"""The claims of the config with their verdicts."""

import pyarrow as pa

from selfdoubt.runtime.schemas.comparisons import COLUMNS

HYPOTHESES_SCHEMA = pa.schema(
    [
        ("hypothesis", pa.string()),
        *COLUMNS,
        ("role", pa.string()),  # check, primary or secondary
        ("statement", pa.string()),
        ("registered", pa.bool_()),  # whether it was written down before its numbers were known
        ("units", pa.string()),  # replicates or networks
        ("n_components", pa.int32()),  # comparisons of which it is made; the numbers are those of the weakest
        ("on_at_least", pa.int32()),  # data sets; null: of one
        ("alpha", pa.float64()),  # of the family
        ("level", pa.float64()),  # at which it was tested in its family
        ("low_family", pa.float64()),  # interval of 1 - level
        ("high_family", pa.float64()),
        ("margin", pa.float64()),  # the smallest difference of interest
        ("p_negligible", pa.float64()),  # that the difference is within the margin, by two one-sided tests
        ("p_negligible_holm", pa.float64()),  # corrected within the family
        ("p_no_loss", pa.float64()),  # of losing more than the margin; null where nothing need be kept, or was compared
        ("verdict", pa.string()),  # supported (, smaller than the margin), refuted, negligible, …
        ("warning", pa.string()),  # what the claim lacks (evaluation.warnings)
        # null of several comparisons: each has its own, in COMPARISONS
        ("n_replicates_needed", pa.int32()),  # to find the difference that was seen, at the level of the family
        ("n_replicates_negligible", pa.int32()),  # to call a true difference of 0 negligible; null: no number would do
    ]
)

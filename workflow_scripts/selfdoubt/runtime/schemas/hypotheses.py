"""The claims of the config with their verdicts."""

import pyarrow as pa

from selfdoubt.runtime.schemas.comparisons import COLUMNS

HYPOTHESES_SCHEMA = pa.schema(
    [
        ("hypothesis", pa.string()),
        *COLUMNS,
        ("statement", pa.string()),
        ("registered", pa.bool_()),  # whether it was written down before its numbers were known
        ("verdict", pa.string()),  # supported, refuted or inconclusive
        ("warning", pa.string()),  # what the claim lacks (evaluation.warnings)
        ("n_replicates_needed", pa.int32()),  # at the observed spread; null where no number of replicates would do
    ]
)

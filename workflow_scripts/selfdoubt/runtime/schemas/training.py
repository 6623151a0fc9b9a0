"""A training's history: a row per epoch."""

import pyarrow as pa

TRAINING_SCHEMA = pa.schema(
    [
        ("epoch", pa.int32()),
        ("learning_rate", pa.float64()),
        ("train_loss", pa.float64()),
        ("val_loss", pa.float64()),
        ("val_accuracy", pa.float64()),
    ]
)
PARTS = ("tckd", "nckd")  # of the divergence from a teacher: means over the epoch's training batches, in nats
PARTS_SCHEMA = pa.schema([*TRAINING_SCHEMA, *((name, pa.float64()) for name in PARTS)])  # of losses that have them

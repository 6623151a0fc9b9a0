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

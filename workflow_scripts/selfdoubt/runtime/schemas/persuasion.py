"""Mean gains of messages, and how often listeners are persuaded, by sender and listener."""

import pyarrow as pa

PERSUASION_SCHEMA = pa.schema(
    [
        ("sender", pa.string()),
        ("listener", pa.string()),
        ("message", pa.string()),  # "true", or "other" if it is for another class than the label
        ("gain", pa.float64()),  # mean gain in the listener's log p of that class, nats
        ("n", pa.int64()),  # messages of the sender; each listener receives all of them
        ("persuaded", pa.float64()),  # fraction of the n_open messages after which the listener predicts that class
        ("n_open", pa.int64()),  # messages about images of which the listener's clean prediction is another class
    ]
)

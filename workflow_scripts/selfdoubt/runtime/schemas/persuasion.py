"""Who persuades whom in a group."""

import pyarrow as pa

PERSUASION_SCHEMA = pa.schema(
    [
        ("sender", pa.string()),
        ("listener", pa.string()),
        ("message", pa.string()),  # "true" or "wrong": the class the message argues for
        ("gain", pa.float64()),  # mean gain in the listener's log p of that class, nats
        ("n", pa.int64()),  # messages of the sender, all of which each listener hears
        ("persuaded", pa.float64()),  # share of the open ones after which the listener answers that class
        ("n_open", pa.int64()),  # messages about images on which the listener's clean answer is another class
    ]
)

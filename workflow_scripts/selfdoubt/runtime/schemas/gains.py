"""What each member's log probabilities of an image's two top classes gain by a message or by views."""

import pyarrow as pa

GAINS_SCHEMA = pa.schema(
    [
        ("split", pa.string()),  # val or test
        ("image_id", pa.int32()),
        ("first", pa.int16()),  # the two classes of largest prior probability, the first the more probable
        ("second", pa.int16()),
        ("gains_of_first", pa.list_(pa.float16())),  # nats, or what they are relative to; of each sender and listener
        ("gains_of_second", pa.list_(pa.float16())),
    ]
)

"""Test images that a study's page shows: those that arms classify incorrectly, and those on which two arms differ."""

import pyarrow as pa

_OF_ARM = [
    ("predicted", pa.int16()),  # the class that most replicates predict
    ("confidence", pa.float64()),  # its probability, mean over the replicates that predict it
    ("of_label", pa.float64()),  # the probability of the label, mean over all replicates
    ("n_incorrect", pa.int32()),  # replicates that classify the image incorrectly
    ("n_replicates", pa.int32()),
]

PICTURES_SCHEMA = pa.schema(
    [
        ("list", pa.string()),  # errors, gains or losses: of the label's probability, against `than`
        ("arm", pa.string()),
        ("than", pa.string()),  # null of errors
        ("rank", pa.int32()),  # in the list, from 1
        ("image_id", pa.int32()),
        ("label", pa.int16()),
        *_OF_ARM,
        *((f"than_{name}", kind) for name, kind in _OF_ARM),
        ("picture", pa.binary()),  # a PNG, or a JPEG of an image that was made smaller
    ]
)

"""What gains say, beyond the members' predictions, of which of two classes is the correct one."""

import pyarrow as pa

INFORMATION_SCHEMA = pa.schema(
    [
        ("dataset", pa.string()),
        ("group", pa.string()),
        ("protocol", pa.string()),
        ("replicate", pa.int32()),  # null: over all replicates
        ("n", pa.int64()),  # images of test that are evaluated; over replicates their mean, rounded
        ("without", pa.float64()),  # NLL from the members' predictions, nats
        ("with", pa.float64()),  # NLL from these and the gains
        ("difference", pa.float64()),  # with - without; below 0 where gains are informative
        ("low", pa.float64()),  # 95 % interval, of one replicate over images, else over replicates and images
        ("high", pa.float64()),
        ("image_variance", pa.float64()),  # over all: of one replicate's difference, by the images alone
        ("shared", pa.float64()),  # over all: of that, what is common to all replicates
        ("margin", pa.float64()),
        ("verdict", pa.string()),  # of all replicates: informative, negligible or inconclusive
        ("reason", pa.string()),  # why there are no numbers
    ]
)

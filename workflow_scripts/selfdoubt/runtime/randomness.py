"""Named, counter-based random generators.

Every random draw of the project comes from a generator named by (seed, purpose, counters). The name is
hashed into the key of a Philox generator (Salmon et al. 2011), so one purpose never disturbs another and
the draws of epoch 7 need no replay of epochs 0 to 6. NumPy's Philox is used on every device: a GPU and a
CPU see the same views. torch's own global generator is used only for initial weights and dropout, and is seeded
each time with such a key.
"""

import hashlib

import numpy as np

_PHILOX_WORDS = 4  # 64-bit numbers that one count of Philox gives


def key(seed: int, purpose: str, *counters: int) -> int:
    """Return the 128-bit key of (seed, purpose, counters)."""
    name = "/".join([str(seed), purpose, *map(str, counters)])
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")


def generator(seed: int, purpose: str, *counters: int) -> np.random.Generator:
    """Return the generator named (seed, purpose, counters); equal names give equal draws.

    seed: such as the replicate. purpose: what is drawn, such as "order" or "box". counters: epoch, batch, …
    """
    return np.random.Generator(np.random.Philox(key=key(seed, purpose, *counters)))


def seed_of(job) -> int:
    """Return the seed of all that a training draws: its replicate, or of a twin a number that no other training has.

    job: `replicate`, and `settings`, of which `twin` is the number of a twin.
    """
    twin = vars(job.settings).get("twin")
    return job.replicate if twin is None else key(job.replicate, "twin", twin)


def uniform_rows(seed: int, purpose: str, epoch: int, rows: slice, n: int) -> np.ndarray:
    """Return n numbers in [0, 1) for each of some rows of an epoch, float64 (rows, n).

    A row's numbers do not depend on which other rows are drawn.

    rows: a slice with start and stop, and a step unless it is 1.
    """
    philox = np.random.Philox(key=key(seed, purpose, epoch))
    width = -(-n // _PHILOX_WORDS) * _PHILOX_WORDS
    philox.advance(rows.start * width // _PHILOX_WORDS)
    drawn = np.random.Generator(philox).random((rows.stop - rows.start, width))
    return drawn[:: rows.step, :n]

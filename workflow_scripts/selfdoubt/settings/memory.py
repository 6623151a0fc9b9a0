"""What memory jobs ask a scheduler for: from the config alone, since rules open no file. docs/clusters.md has the sums.

A guess that errs upwards. It is no limit, changes no result, and counts nothing where nobody schedules by memory.
"""

PROCESS_MB = 2000  # Python, torch, a network, its batches, and the first SMALL_MB of images
SMALL_MB = 250
WORKER_MB = 500  # a process that decodes images, besides its batches
COPIES = 2  # of the images: as read, and as prepared or padded
MAP_BYTES = 4 * COPIES  # a segmenter's maps are float32, whatever the channels
_IMAGES = {  # of the larger split: how many, channels, px
    "embedded": (10_000, 3, 32),
    "fashion-mnist": (60_000, 1, 28),
    "cifar10": (50_000, 3, 32),
    "cifar100": (50_000, 3, 32),
    "svhn": (73_257, 3, 32),
    "stl10": (8_000, 3, 96),
    "tiny-imagenet": (100_000, 3, 64),
}
_CHANNELS, _PX = 3, 224  # of images that are in files, where the config does not say


def images_mb(dataset) -> float:
    """Return the size of a data set's larger split in memory: up to its max_gb, where its images are not known."""
    if dataset.storage == "files":
        return 0
    largest = dataset.max_gb * 1000
    n, channels, px = _IMAGES.get(dataset.source.partition(":")[0], (None, _CHANNELS, _PX))
    return largest if n is None else min(largest, n * _image_bytes(dataset, channels, px) / 1e6)


def job_mb(dataset, bytes_a_value: int = COPIES) -> int:
    """Return the memory of one process that holds a split, `bytes_a_value` for each of its pixels and channels."""
    return round(PROCESS_MB + bytes_a_value * max(0, images_mb(dataset) - SMALL_MB))


def training_mb(dataset, recipe) -> int:
    """Return the memory of all processes that train a model, and of those that decode images for them."""
    decoding = 0
    if dataset.storage == "files":
        batch_mb = recipe.batch_size * _image_bytes(dataset, _CHANNELS, _PX) / 1e6
        decoding = (2 * recipe.n_workers + 1) * batch_mb + recipe.gpu * recipe.n_workers * WORKER_MB
    return round(recipe.gpu * job_mb(dataset) + decoding)


def _image_bytes(dataset, channels: int, px: int) -> int:
    return (dataset.channels or channels) * (dataset.size_px or px) ** 2

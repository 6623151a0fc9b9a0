"""How much memory jobs request, from the config alone, since rules open no file. docs/clusters.md has the sums.

A scheduling hint only, which errs upwards: it limits nothing, changes no result, and has no effect unless memory is
scheduled.
"""

from selfdoubt.settings.catalog import settings_of

PROCESS_MB = 2000  # Python, torch, a network, its batches, and the first SMALL_MB of images
SMALL_MB = 250
WORKER_MB = 500  # a process that decodes images, besides its batches
COPIES = 2  # of the images: as read, and as prepared or padded
MAP_BYTES = 4 * COPIES  # a segmenter's maps are float32, whatever the channels
_CHANNELS, _PX = 3, 224  # of images in files, unless the config sets them


def images_mb(dataset) -> float:
    """Return the size of a data set's larger split in memory, MB; its max_gb if the source does not state it."""
    if dataset.storage == "files":
        return 0
    largest = dataset.max_gb * 1000
    n, channels, px = getattr(settings_of(dataset.source), "LARGEST_SPLIT", (None, _CHANNELS, _PX))
    return largest if n is None else min(largest, n * _image_bytes(dataset, channels, px) / 1e6)


def job_mb(dataset, bytes_a_value: int = COPIES) -> int:
    """Return the memory of one process that holds a split, MB, with `bytes_a_value` for each pixel and channel."""
    return round(PROCESS_MB + bytes_a_value * max(0, images_mb(dataset) - SMALL_MB))


def predicting_mb(dataset, ood_sets) -> int:
    """Return the memory of a process that predicts a data set's images, a file of them at a time, MB.

    ood_sets: those that the data set's models are evaluated on. A corruption's severities are one file.
    """
    return _process_mb(max(images_mb(dataset), corrupted_mb(dataset), *(ood_mb(dataset, each) for each in ood_sets), 0))


def holding_mb(dataset, ood_sets) -> int:
    """Return the memory of a process that holds val, test (both no larger than train) and OOD images at once, MB."""
    return _process_mb(images_mb(dataset) + sum(ood_mb(dataset, each) for each in ood_sets))


def converting_mb(dataset, ood_set) -> int:
    """Return the memory of a process that converts an OOD set to a data set's shape, MB."""
    return _process_mb(images_mb(dataset) + ood_mb(dataset, ood_set))


def corrupting_mb(dataset) -> int:
    """Return the memory of a process that corrupts images at several severities, MB."""
    return _process_mb(images_mb(dataset) + corrupted_mb(dataset))


def _process_mb(held_mb: float) -> int:
    return round(PROCESS_MB + COPIES * max(0, held_mb - SMALL_MB))


def corrupted_mb(dataset) -> float:
    """Return the size of all severities of a corruption, MB; at most max_gb each, where their number is not known."""
    chosen = dataset.corruptions
    if chosen is None:
        return 0
    known = None if chosen.n_images is None else chosen.n_images * _image_bytes(dataset, _CHANNELS, _PX) / 1e6
    return len(chosen.severities) * (images_mb(dataset) if known is None else known)


def ood_mb(dataset, ood_set) -> float:
    """Return the size of an OOD set at the size and channels of a data set's images, MB."""
    n, channels, px = getattr(settings_of(ood_set.source), "LARGEST_SPLIT", (None, _CHANNELS, _PX))
    _, channels, px = getattr(settings_of(dataset.source), "LARGEST_SPLIT", (None, channels, px))
    n = ood_set.n_images or n
    return dataset.max_gb * 1000 if n is None else n * _image_bytes(dataset, channels, px) / 1e6


def training_mb(dataset, recipe) -> int:
    """Return the memory of all processes that train a model and that decode images for it, MB."""
    decoding = 0
    if dataset.storage == "files":
        batch_mb = recipe.batch_size * _image_bytes(dataset, _CHANNELS, _PX) / 1e6
        decoding = (2 * recipe.n_workers + 1) * batch_mb + recipe.gpu * recipe.n_workers * WORKER_MB
    return round(recipe.gpu * job_mb(dataset) + decoding)


def _image_bytes(dataset, channels: int, px: int) -> int:
    return (dataset.channels or channels) * (dataset.size_px or px) ** 2

"""How many minutes jobs request, from the config. docs/clusters.md has the sums.

A hint for schedulers that end what takes longer, as memory.py is one for memory: it errs upwards, changes no result,
and limits nothing where no scheduler does. A training that is ended resumes, with as much again at each attempt.
"""

from selfdoubt.settings import memory

LEAST = 10  # minutes
SURPLUS = 4  # what is requested over what is expected
ON_CPU, ON_GPU = 5e9, 2e13  # multiplications a second: of a thread in float32, and of a device in half precision
LAUNCH = 0.02  # seconds of a batch on a GPU, however small the network
BATCH = 250  # images that are predicted at once, at least
DECODED = 100  # image files a second, by each process that decodes them
LISTED = 10  # times as fast: files that stay where they are
BACKWARDS = 3  # forward passes' worth of a training step
OWN, OF_TIMM = 0.15, 0.004  # multiplications of a pixel for each parameter: of networks for small and for large images
SEGMENTING = 2e5  # of a pixel, by a segmenter
STEPS = 100  # passes of an image by an enhancer or a message, for each candidate or member, at most


def training(dataset, recipe, model, network, teachers=()) -> int:
    """Return the minutes of a training. teachers: the networks that are run in each step."""
    steps_more = sum(getattr(each, "n_steps", None) or 1 for each in getattr(model, "techniques", []))
    passes = BACKWARDS * model.n_batches * (1 + steps_more)
    n_train, of_image = memory.train_images(dataset), multiplications(dataset, network)
    of_epoch = n_train * (passes * of_image + sum(multiplications(dataset, teacher) for teacher in teachers))
    of_epoch += memory.val_images(dataset) * of_image
    seconds = recipe.epochs * (_computing(of_epoch, recipe, recipe.gpu) + _decoding(dataset, n_train, recipe))
    return requested(seconds + _launching(recipe, recipe.epochs * n_train / recipe.batch_size * passes))


def storing_targets(dataset, recipe, teachers) -> int:
    """Return the minutes of a job that runs teachers on all views of the training images."""
    n_train = memory.train_images(dataset)
    of_epoch = n_train * sum(multiplications(dataset, teacher) for teacher in teachers)
    seconds = recipe.epochs * (_computing(of_epoch, recipe) + _decoding(dataset, n_train, recipe))
    return requested(seconds + _launching(recipe, recipe.epochs * n_train / recipe.batch_size * len(teachers)))


def segmenting(dataset, segmenter, epochs: int = 1) -> int:
    """Return the minutes of a job that trains a segmenter for so many epochs, or that predicts once."""
    n = memory.train_images(dataset)
    seconds = epochs * _computing(BACKWARDS * n * SEGMENTING * _pixels(dataset), segmenter)
    return requested(seconds + _launching(segmenter, epochs * n / segmenter.batch_size))


def predicting(n_images: int, dataset, networks, computing, passes: int = 1) -> int:
    """Return the minutes of a job that passes images so often through networks. computing: its device and threads."""
    of_image = passes * sum(multiplications(dataset, network) for network in networks)
    seconds = _computing(n_images * of_image, computing) + _decoding(dataset, n_images)
    return requested(seconds + _launching(computing, passes * len(networks) * (n_images / BATCH + 1)))


def preparing(dataset, n_images: int) -> int:
    """Return the minutes of a job that decodes and converts images in the way of a data set."""
    return requested(n_images / DECODED / (LISTED if dataset.storage == "files" else 1))


def reading(mb: float, n_tables: int = 1) -> int:
    """Return the minutes of a job that computes numbers of tables of logits, of which each has so many MB."""
    return requested(n_tables * (1 + mb / 20))


def requested(seconds: float) -> int:
    """Return what is requested where so much is expected, minutes."""
    return round(LEAST + SURPLUS * seconds / 60)


def multiplications(dataset, network) -> float:
    """Return how many multiplications an image takes, forwards; of a network that does not state its size, few."""
    if not hasattr(network, "size"):
        return 0
    a_parameter = OF_TIMM if network.family == "timm" else OWN
    return a_parameter * network.size().parameters * _pixels(dataset)


def _pixels(dataset) -> int:
    return (dataset.size_px or memory.stated_px(dataset)) ** 2


def _computing(n: float, computing, n_processes: int = 1) -> float:
    """Return the seconds of so many multiplications. computing: device and threads."""
    speed = ON_CPU * computing.threads if computing.device == "cpu" else ON_GPU
    return n / speed / n_processes


def _launching(computing, n_batches: float) -> float:
    return 0 if computing.device == "cpu" else LAUNCH * n_batches


def _decoding(dataset, n_images: int, recipe=None) -> float:
    """Return the seconds of reading images from files, where they stay there, by all processes that do."""
    if dataset.storage != "files":
        return 0
    return n_images / DECODED / (max(1, recipe.n_workers) * recipe.gpu if recipe else 1)

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
MAPS = 20  # passes of an image by the teacher of a segmenter, at most
_LARGE_PX = 224  # to which a network of timm may enlarge images


def training(dataset, recipe, model, network, teachers=()) -> int:
    """Return the minutes of a training. teachers: the networks that are run in each step, on each of its views."""
    steps_more = sum(getattr(each, "n_steps", None) or 1 for each in getattr(model, "techniques", []))
    passes = BACKWARDS * model.n_batches * (1 + steps_more)
    n_train, of_image = memory.train_images(dataset), multiplications(dataset, network)
    of_epoch = n_train * (passes * of_image + _of_teachers(dataset, model, teachers))
    of_epoch += memory.val_images(dataset) * of_image
    seconds = recipe.epochs * (_computing(of_epoch, recipe, recipe.gpu) + _decoding(dataset, n_train, recipe))
    return requested(seconds + _launching(recipe, recipe.epochs * n_train / recipe.batch_size * passes))


def storing_targets(dataset, recipe, student, teachers) -> int:
    """Return the minutes of a job, of one process, that runs a student's teachers on all views of its images."""
    n_train = memory.train_images(dataset)
    of_epoch = n_train * _of_teachers(dataset, student, teachers)
    seconds = recipe.epochs * (_computing(of_epoch, recipe) + _decoding(dataset, n_train, recipe) * recipe.gpu)
    n_batches = recipe.epochs * n_train / recipe.batch_size
    return requested(seconds + _launching(recipe, n_batches * len(teachers) * student.teacher_views))


def segmenting(dataset, segmenter, epochs: int = 1, teacher=None) -> int:
    """Return the minutes of a job that trains a segmenter for so many epochs on its teacher's maps, or predicts."""
    n = memory.train_images(dataset)
    of_image = epochs * BACKWARDS * SEGMENTING * _pixels(dataset) + MAPS * multiplications(dataset, teacher)
    return requested(_computing(n * of_image, segmenter) + _launching(segmenter, epochs * n / segmenter.batch_size))


def predicting(n_images: int, dataset, networks, computing, passes: int = 1) -> int:
    """Return the minutes of a job that passes images so often through networks. computing: its device and threads."""
    of_image = passes * sum(multiplications(dataset, network) for network in networks)
    seconds = _computing(n_images * of_image, computing) + _decoding(dataset, n_images)
    return requested(seconds + _launching(computing, passes * len(networks) * (n_images / BATCH + 1)))


def enhancing(n_images: int, dataset, enhancer, n_candidates: int, networks, computing) -> int:
    """Return the minutes of a job that enhances images, after it has learned how from val, or from train too.

    networks: of the model, and of those by whose errors it learns, of which the largest counts.
    """
    largest = max(networks, key=lambda network: multiplications(dataset, network))
    epochs = getattr(enhancer, "epochs", 0)
    n_learned = memory.val_images(dataset) + (memory.train_images(dataset) if len(networks) > 1 else 0)
    fits = n_candidates * (getattr(enhancer, "n_folds", 0) + 1)
    learned = fits * BACKWARDS * (max(epochs) if isinstance(epochs, list) else epochs) * n_learned
    return predicting(n_candidates * STEPS * n_images + learned, dataset, [largest], computing)


def preparing(dataset, n_images: int) -> int:
    """Return the minutes of a job that reads a data set's images: decodes them, unless they stay in files."""
    return requested(n_images / DECODED / (LISTED if dataset.storage == "files" else 1))


def converting(n_images: int) -> int:
    """Return the minutes of a job that decodes and converts images of another set."""
    return requested(n_images / DECODED)


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
    enlarges = getattr(network, "input_px", "data") == "pretrained"
    pixels = max(_pixels(dataset), _LARGE_PX**2 if enlarges else 0)
    return a_parameter * network.size().parameters * pixels


def _of_teachers(dataset, student, teachers) -> float:
    """Return the multiplications by which the targets of an image take, of all views that teachers see of it."""
    views = getattr(student, "teacher_views", 1)
    return views * sum(multiplications(dataset, teacher) for teacher in teachers)


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

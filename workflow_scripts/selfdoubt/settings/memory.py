"""How much memory jobs request, from the config, listings and footers of tables. docs/clusters.md has the sums.

A scheduling hint only, which errs upwards: it limits nothing, changes no result, and has no effect unless memory is
scheduled.
"""

from collections.abc import Iterable
from functools import cache
from math import isqrt
from pathlib import Path
from types import SimpleNamespace

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import footers
from selfdoubt.settings.catalog import is_of_test, settings_of

PROCESS_MB = 2000  # Python, torch, a network, its batches, and the first SMALL_MB of images
SMALL_MB = 250
SMALL_NETWORK_MB = 1000  # of PROCESS_MB
GRADIENTS = 1.5  # of the activations that gradients need: with the gradients themselves
BATCH_VALUES, LARGEST_BATCH = 2**22, 500  # as of models.inference, which takes torch to import
WORKER_MB = 500  # a process that decodes images, besides its batches
COPIES = 2  # of the images: as read, and as prepared or padded
MAP_BYTES = 4 * COPIES  # a segmenter's maps are float32, whatever the channels
_CHANNELS, _PX = 3, 224  # of images in files, unless the config sets them
TABLE_MB = 500  # Python and Arrow, with what is drawn and resampled
LEAST_MB = 2000  # of a job that reads logits
WRITING = 4  # copies of the logits that predictions are held and written as
FIGURE_MB = 1000  # of a figure, or of the page, of little data
METRICS_MB, INLINED_MB = 2, 20  # of the metrics of one arm and replicate, of a figure within the page
READING = 6  # of those that are read, sorted and evaluated
DRAWING = 10  # of those whose scores a figure shows: with their softmax in float64
MEMBER, DECIDING = 3, 4  # of each member's, and of what a group decides
_N_IMAGES, _N_CLASSES = 50_000, 1000  # of a source of which neither is known
_N_FEATURES = 2048  # of a network that does not state them
VALUES_A_BYTE = 0.5  # of a file of predictions, at most: float16, or a digit and a comma
IMAGES_A_CLASS = 10  # of which there are predictions alone, at least


def images_mb(dataset) -> float:
    """Return the size of a data set's larger split in memory, MB; its max_gb where that is not known."""
    if dataset.storage == "files":
        return 0
    return _arrays_mb(dataset, _largest_split(dataset.source)[0])


def _arrays_mb(dataset, n: int | None) -> float:
    """Return the size of n images in a data set's shape, MB; its max_gb, beyond which they are refused, if unknown."""
    _, channels, px = _largest_split(dataset.source)
    largest = dataset.max_gb * 1000
    if n is None or not (px or dataset.size_px):
        return largest
    return min(largest, n * _image_bytes(dataset, channels, px) / 1e6)


@cache
def _largest_split(source: str) -> tuple[int | None, int, int | None]:
    """Return images, channels and size, px, of a source's larger split; of a folder no more than the files in it."""
    facts, place = settings_of(source), source.partition(":")[2]
    if hasattr(facts, "LARGEST_SPLIT"):
        return facts.LARGEST_SPLIT
    try:
        return _n_counted(facts, place), _CHANNELS, None
    except (UserError, OSError):  # it is not there, or not as it must be: the check of the config reports it
        return None, _CHANNELS, None


def _n_counted(facts, place: str) -> int | None:
    if hasattr(facts, "files_by_split"):
        return max(map(footers.n_rows, facts.files_by_split(place)[0].values())) or None
    return (facts.n_images(place) or None) if hasattr(facts, "n_images") else None


def job_mb(dataset, bytes_a_value: int = COPIES) -> int:
    """Return the memory of one process that holds a split, MB, with `bytes_a_value` for each pixel and channel."""
    return round(PROCESS_MB + bytes_a_value * max(0, images_mb(dataset) - SMALL_MB))


def predicting_mb(dataset, ood_sets, network=None) -> int:
    """Return the memory of a process that predicts a data set's images, a file of them at a time, MB.

    ood_sets: those that the data set's models are evaluated on. A corruption's severities are one file. network: its
    entry in the config, if it has one.
    """
    others = [
        *(ood_mb(dataset, each) for each in ood_sets),
        *(shifted_mb(dataset, each) for each in dataset.shifted.values()),
    ]
    largest = max(images_mb(dataset), corrupted_mb(dataset), *others)
    return _process_mb(largest, WRITING * logits_mb(dataset, ood_sets)) + more_mb(network, dataset)


def features_mb(dataset, ood_sets, network) -> float:
    """Return the size of the float16 features of a data set's training images and of all that are predicted, MB."""
    n_images = train_images(dataset) + predicted_images(dataset, ood_sets)
    return 2 * getattr(network, "n_features", _N_FEATURES) * n_images / 1e6


def extracting_mb(dataset, ood_sets, network) -> int:
    """Return the memory of a process that predicts images, a file of them at a time, and holds features of all, MB."""
    return predicting_mb(dataset, ood_sets, network) + round(2 * features_mb(dataset, ood_sets, network))


def scoring_mb(dataset, ood_sets, network) -> int:
    """Return the memory of a process that computes scores from features: in float64, with copies of the largest, MB."""
    held = 12 * features_mb(dataset, ood_sets, network) + READING * logits_mb(dataset, ood_sets)
    return max(LEAST_MB, round(TABLE_MB + held))


def more_mb(network, dataset, gradients: bool = False) -> int:
    """Return what a network and its batches take beyond those that are in PROCESS_MB, MB.

    gradients: whether activations are kept for them, on the host.
    """
    if not hasattr(network, "size"):
        return 0
    _, channels, px = getattr(_known(dataset), "LARGEST_SPLIT", (None, _CHANNELS, _PX))
    pixels = BATCH_VALUES // (dataset.channels or channels)
    if network.family != "timm":  # whose networks may enlarge images to their own size
        pixels = min(pixels, LARGEST_BATCH * (dataset.size_px or px) ** 2)
    parameters, values, kept = network.size()
    values = max(values, GRADIENTS * kept) if gradients else values
    return round(max(0, 4 * (parameters + values * pixels) / 1e6 - SMALL_NETWORK_MB))


def enhancing_mb(dataset, ood_sets, n_candidates: int, network=None, shifted: bool = False) -> int:
    """Return the memory of a process that holds val, test (both no larger than train) and OOD images at once, MB.

    n_candidates: whose predictions of val are compared. network: whose gradients are on the host, if any. shifted:
    whether it holds the corrupted and the re-collected test sets too.
    """
    images = images_mb(dataset) + sum(ood_mb(dataset, each) for each in ood_sets)
    if shifted:
        n_corruptions = len(dataset.corruptions.names) if dataset.corruptions else 0
        images += n_corruptions * corrupted_mb(dataset) + sum(shifted_mb(dataset, s) for s in dataset.shifted.values())
    val = n_candidates * _n_val(dataset, _known(dataset)) * 4 * _n_classes(dataset) / 1e6
    logits = (logits_mb if shifted else clean_logits_mb)(dataset, ood_sets)
    held = _process_mb(images, WRITING * logits + val)
    return held + more_mb(network, dataset, gradients=True)


def communicating_mb(dataset, ood_sets, n_members: int, networks=()) -> int:
    """Return the memory of a process that holds these images, and the logits of each member, MB.

    networks: the members', whose gradients are on the host, one after another.
    """
    images = images_mb(dataset) + sum(ood_mb(dataset, each) for each in ood_sets)
    held = _process_mb(images, (n_members * MEMBER + DECIDING) * clean_logits_mb(dataset, ood_sets))
    return held + max((more_mb(network, dataset, gradients=True) for network in networks), default=0)


def converting_mb(dataset, ood_set) -> int:
    """Return the memory of a process that converts an OOD set to a data set's shape, MB."""
    return _process_mb(images_mb(dataset) + ood_mb(dataset, ood_set))


def corrupting_mb(dataset) -> int:
    """Return the memory of a process that corrupts images at several severities, MB."""
    return _process_mb(images_mb(dataset) + corrupted_mb(dataset))


def recollecting_mb(dataset, source: str) -> int:
    """Return the memory of a process that reads a re-collected test set beside the data set's own, MB."""
    return _process_mb(images_mb(dataset) + shifted_mb(dataset, source))


def _process_mb(held_mb: float, logits_mb: float = 0) -> int:
    return round(PROCESS_MB + max(0, COPIES * (held_mb - SMALL_MB) + logits_mb))


# ---- tables of logits ----


def reading_mb(dataset, ood_sets) -> int:
    """Return the memory of a process that reads tables of logits one after the other, MB."""
    return max(LEAST_MB, round(TABLE_MB + READING * logits_mb(dataset, ood_sets)))


def combining_mb(dataset, ood_sets, n_members: int) -> int:
    """Return the memory of a process that reads the members' tables at once, and decides from them, MB."""
    copies = n_members * MEMBER + DECIDING
    return max(LEAST_MB, round(TABLE_MB + copies * logits_mb(dataset, ood_sets)))


def pooling_mb(dataset, ood_sets, n_members: int) -> int:
    """Return the memory of protocols that fit a few numbers on val, MB: float64 features of each member, twice."""
    return combining_mb(dataset, ood_sets, n_members) + fitted_mb(dataset, n_members)


def fitted_mb(dataset, n_members: int) -> int:
    """Return the memory of that fit alone, MB."""
    return round(8 * (2 * n_members + 6) * _n_val(dataset, _known(dataset)) * _n_classes(dataset) / 1e6)


def stacking_mb(dataset, ood_sets, n_members: int, n_penalties: int, n_folds: int) -> int:
    """Return the memory of `stacking`, MB: float64 features of val, several times, and weights of L K by K classes."""
    n_val, n_classes = _n_val(dataset, _known(dataset)), _n_classes(dataset)
    fitted = 8 * n_members * n_classes * (4 * n_val + 20 * n_classes)  # L-BFGS keeps ten pairs of weights
    fitted += 8 * n_members * n_classes * 3 * predicted_images(dataset, ood_sets)
    fitted += 8 * n_penalties * n_folds * n_members * n_classes**2  # the weights without each fold
    return combining_mb(dataset, ood_sets, n_members) + round(fitted / 1e6)


def drawing_mb(dataset, ood_sets) -> int:
    """Return the memory of a process that draws a figure from tables of logits, MB."""
    return max(FIGURE_MB, round(TABLE_MB + DRAWING * logits_mb(dataset, ood_sets)))


def collecting_mb(n_tables: int, least_mb: int = LEAST_MB) -> int:
    """Return the memory of a process that holds the metrics of so many arms and replicates, MB."""
    return max(least_mb, TABLE_MB + METRICS_MB * n_tables)


def rendering_mb(n_tables: int, n_figures: int) -> int:
    """Return the memory of a process that renders the page from these, twice as columns of a frame, MB."""
    return max(FIGURE_MB, TABLE_MB + 2 * METRICS_MB * n_tables + INLINED_MB * n_figures)


def logits_mb(dataset, ood_sets) -> float:
    """Return the size of a table of float32 logits of all images, MB."""
    return 4 * _n_classes(dataset) * predicted_images(dataset, ood_sets) / 1e6


def clean_logits_mb(dataset, ood_sets) -> float:
    """Return the size of a table of logits of val, test and OOD images alone, MB."""
    shifted = 4 * _n_classes(dataset) * _n_shifted(dataset, _known(dataset)) / 1e6
    return logits_mb(dataset, ood_sets) - shifted


def predicted_images(dataset, ood_sets) -> int:
    """Return how many images are predicted at most: of val, test, OOD, corrupted and re-collected sets."""
    known = _known(dataset)
    return _n_val(dataset, known) + _n_test(dataset, known) + sum(map(_n_ood, ood_sets)) + _n_shifted(dataset, known)


def train_images(dataset) -> int:
    """Return how many images a model is trained on at most."""
    return getattr(dataset, "train_images_per_replicate", None) or source_images(dataset)


def source_images(dataset) -> int:
    """Return how many images the larger split of a data set's source has at most."""
    return _n_images(dataset.source, _known(dataset))


def val_images(dataset) -> int:
    """Return how many images there are to validate on at most."""
    return _n_val(dataset, _known(dataset))


def stated_px(dataset) -> int:
    """Return the height of a source's images, px; of image files that of large ones."""
    return getattr(_known(dataset), "LARGEST_SPLIT", (None, _CHANNELS, _PX))[2] or _PX


def of_predictions(dataset, files: Iterable[Iterable[str]]) -> SimpleNamespace:
    """Return what is known of a data set without images, by the largest model's files: n x C values, and the largest C.

    files: of each model, which must be there. All rows count as test, those of val and of OOD sets too. C is what it
    would be with IMAGES_A_CLASS images a class, since `stacking` takes memory by its square.
    """
    n_bytes = max((sum(Path(path).stat().st_size for path in each) for each in files), default=0)
    n_values = round(n_bytes * VALUES_A_BYTE)
    n_classes = max(1, isqrt(n_values // IMAGES_A_CLASS))
    facts = {"LARGEST_SPLIT": (n_values // n_classes,), "N_CLASSES": n_classes}
    drawn = {"val_fraction": dataset.val_fraction, "corruptions": None, "shifted": {}}
    return SimpleNamespace(source=dataset.source, **drawn, **facts)


def _known(dataset):
    """Return what may state sizes: the module of a source; what is known of predictions stands in the data set."""
    return dataset if dataset.source == "predictions" else settings_of(dataset.source)


def _n_val(dataset, known) -> int:
    fraction = 1 if _has_own_val(dataset.source) else dataset.val_fraction
    return round(fraction * _n_images(dataset.source, known))


@cache
def _has_own_val(source: str) -> bool:
    facts = None if source == "predictions" else settings_of(source)
    try:
        return hasattr(facts, "has_val") and facts.has_val(source.partition(":")[2])
    except (UserError, OSError):  # the check of the config reports it
        return False


def _n_test(dataset, known) -> int:
    return getattr(known, "N_TEST", None) or _n_images(dataset.source, known)


def _n_ood(ood_set) -> int:
    return ood_set.n_images or _n_images(ood_set.source, settings_of(ood_set.source))


def _n_images(source: str, known) -> int:
    """Return how many images the larger split has, of image files how many there are."""
    if hasattr(known, "LARGEST_SPLIT"):
        return known.LARGEST_SPLIT[0]
    return _largest_split(source)[0] or _N_IMAGES


def _n_shifted(dataset, known) -> int:
    chosen, n_test = dataset.corruptions, _n_test(dataset, known)
    corrupted = len(chosen.names) * len(chosen.severities) * (_n_corrupted(dataset) or n_test) if chosen else 0
    return corrupted + sum(_n_published(source) or n_test for source in dataset.shifted.values())


def _n_corrupted(dataset) -> int | None:
    """Return how many images of a severity there are, as many as in test if nothing else is known; None: unknown."""
    chosen, known = dataset.corruptions, _known(dataset)
    if chosen.n_images:
        return chosen.n_images
    found = [_n_published(chosen.source, name) for name in chosen.names]
    return max(found) if all(found) else _n_test(dataset, known) if hasattr(known, "LARGEST_SPLIT") else None


@cache
def _n_published(source: str, name: str = "") -> int | None:
    """Return how many images a re-collected set, or a severity of a published corruption, has; None: unknown."""
    try:
        facts = settings_of(source, "shifts")
        return facts.n_images(source.partition(":")[2], name) if hasattr(facts, "n_images") else None
    except (UserError, OSError):  # it is not there: the check of the config reports it
        return None


def corrupted_mb(dataset) -> float:
    """Return the size of all severities of a corruption, of the largest of those that are published, MB."""
    chosen = dataset.corruptions
    return len(chosen.severities) * _arrays_mb(dataset, _n_corrupted(dataset)) if chosen else 0


def shifted_mb(dataset, source: str) -> float:
    """Return the size of a re-collected test set in the shape of a data set's images, MB."""
    n = _n_test(dataset, _known(dataset)) if is_of_test(source) else _n_published(source)
    return _arrays_mb(dataset, n)


def ood_mb(dataset, ood_set) -> float:
    """Return the size of an OOD set in the shape of a data set's images, MB."""
    return _arrays_mb(dataset, ood_set.n_images or _largest_split(ood_set.source)[0])


def training_mb(dataset, recipe, network=None, n_batches: int = 1) -> int:
    """Return the memory of all processes that train a model and that decode images for it, MB.

    network: counted where the recipe keeps it from GPUs: weights, gradients, two moments, and a batch's activations.
    n_batches: of a step that go through the network as one, such as a clean and a mixed one.
    """
    step = n_batches * recipe.batch_size  # images
    more = 0
    if dataset.storage == "files":
        batch_mb = step * _image_bytes(dataset, _CHANNELS, _PX) / 1e6
        more = (2 * recipe.n_workers + 1) * batch_mb + recipe.gpu * recipe.n_workers * WORKER_MB
    if recipe.device == "cpu" and hasattr(network, "size"):
        _, _, px = getattr(_known(dataset), "LARGEST_SPLIT", (None, _CHANNELS, _PX))
        parameters, _, kept = network.size()
        values = 4 * parameters * recipe.gpu + GRADIENTS * kept * step * (dataset.size_px or px) ** 2
        more += max(0, 4 * values / 1e6 - SMALL_NETWORK_MB * recipe.gpu)
    return round(recipe.gpu * job_mb(dataset) + more)


def teachers_mb(networks) -> int:
    """Return what the weights of teachers that are in memory at once take beyond those in PROCESS_MB, MB."""
    n_parameters = sum(network.size().parameters for network in networks if hasattr(network, "size"))
    return round(max(0, 4 * n_parameters / 1e6 - SMALL_NETWORK_MB))


def _n_classes(dataset) -> int:
    known = _known(dataset)
    stated = getattr(known, "N_CLASSES", None) or _n_listed(dataset.source)
    return stated or min(_N_CLASSES, _n_images(dataset.source, known))


@cache
def _n_listed(source: str) -> int | None:
    """Return how many classes the folders or the footers of a source show; None: unknown."""
    facts, place = settings_of(source), source.partition(":")[2]
    try:
        if hasattr(facts, "files_by_split"):
            return footers.n_classes(facts.files_by_split(place)[0]["train"])
        return facts.n_classes(place) if hasattr(facts, "n_classes") else None
    except (UserError, OSError):  # the check of the config reports it
        return None


def _image_bytes(dataset, channels: int, px: int) -> int:
    return (dataset.channels or channels) * (dataset.size_px or px) ** 2

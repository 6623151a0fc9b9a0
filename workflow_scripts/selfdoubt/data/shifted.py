"""Labelled test sets of others that differ from the training images: published corruptions, and re-collected sets.

Each format is a module of `data.shifts`. It has

    find(place, class_names, name, severity) -> Pool     if it holds corruptions; name: as in the config
    find(place, class_names) -> Pool                     if it is a test set that was collected again
    changed(place, test) -> Split                        if it is made of the test split (`OF_TEST` of its settings)
"""

import numpy as np

from selfdoubt.data import survey
from selfdoubt.data.datasets import Split
from selfdoubt.data.raw import Pool, rows_of
from selfdoubt.data.subsets import balanced_subset
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError
from selfdoubt.runtime.randomness import generator


def corrupted(settings, test: Split, class_names: list[str]) -> dict[str, Split]:
    """Return {"NAME-SEVERITY": images} of one published corruption, in the shape of the test images.

    settings: source ("cifar-c:PATH" or "imagenet-c:PATH"), name, severities, n_images (None: all; the same of every
    corruption) and max_gb of the data set. class_names: of the data set, in the order of its labels.
    Raises UserError if the files are not there, or are not of these classes.
    """
    kind, _, place = settings.source.partition(":")
    module, found = methods.load("data.shifts", kind), {}
    for severity in settings.severities:
        pool = module.find(place, class_names, settings.name, severity)
        found[f"{settings.name}-{severity}"] = _split(place, pool, test, len(class_names), settings)
    return found


def recollected(settings, like: Split, class_names: list[str]) -> Split:
    """Return a re-collected test set, in the shape of the data set's own images, or the test images changed.

    settings: source ("numpy:PATH") and max_gb of the data set. like: the test split.
    Raises UserError if it is not whole, if a label is none of the data set's, or if the images cannot be changed so.
    """
    kind, _, place = settings.source.partition(":")
    module = methods.load("data.shifts", kind)
    if hasattr(module, "changed"):
        return module.changed(place, like)
    return _split(place, module.find(place, class_names), like, len(class_names), settings)


def _split(place: str, pool: Pool, like: Split, n_classes: int, settings) -> Split:
    """Return a pool, or a class-balanced part of it, in the shape of a split's images."""
    images, labels = pool.images, pool.labels
    if len(images) != len(labels):
        raise UserError(f"{place}: {len(images)} images and {len(labels)} labels, not as many of each; fetch it again")
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= n_classes:
        raise UserError(f"{place}: labels are not 0 to {n_classes - 1}, as in the data set; use a set of its classes")
    rows = np.arange(len(labels))
    if getattr(settings, "n_images", None) is not None:
        rows = balanced_subset(labels, settings.n_images, generator(0, "corrupted-images"))
    channels, size_px = like.images.shape[1:3]
    survey.check_memory(len(rows), channels, size_px, settings.max_gb, "set n_images of corruptions")
    own = survey.read(rows_of(images, rows), channels, size_px, resize=True).images
    return Split(own, labels[rows], rows.astype(np.int32))

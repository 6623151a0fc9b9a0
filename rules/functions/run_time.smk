# How many minutes jobs request of a scheduler, and as many again at each further attempt.

from collections import namedtuple

Computing = namedtuple("Computing", ["device", "threads"])


def training_minutes(wildcards, attempt):
    """The minutes of a training; of a student's, with its teachers unless their targets are stored."""
    name, model = wildcards.model, STUDY.models[wildcards.model]
    teachers = STUDY.students[name].teacher if name in STUDY.students and not STUDY.stores_soft_labels(name) else []
    known = (STUDY.datasets[wildcards.dataset], STUDY.recipes[model.recipe], model, STUDY.network_of(name))
    return attempt * run_time.training(*known, [STUDY.network_of(teacher) for teacher in teachers])


def soft_labels_minutes(wildcards, attempt):
    """The minutes of a job that runs teachers on the views of students, of which any has the recipe."""
    teachers = teachers_by_name()[wildcards.model]
    reading = next(name for name in STUDY.students if views_name(name) == wildcards.views)
    recipe = STUDY.recipes[STUDY.students[reading].recipe]
    networks = [STUDY.network_of(teacher) for teacher in teachers]
    return attempt * run_time.storing_targets(STUDY.datasets[wildcards.dataset], recipe, networks)


def segmenter_minutes(wildcards, attempt):
    """The minutes of a segmenter's training, of all its rounds."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    epochs = segmenter.epochs * (segmenter.rounds or 1)
    return attempt * run_time.segmenting(STUDY.datasets[wildcards.dataset], segmenter, epochs)


def segmenting_minutes(wildcards, attempt):
    """The minutes of a job that predicts all masks."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    return attempt * run_time.segmenting(STUDY.datasets[wildcards.dataset], segmenter)


def passing_minutes(wildcards, names, passes, further=0):
    """The minutes of a job that passes all images that are predicted, and further ones, so often through models."""
    dataset, ood_sets = predicted_sets(wildcards.dataset)
    n_images = memory.predicted_images(dataset, ood_sets) + further
    computing = Computing(*STUDY.computing(models_that_compute(wildcards)))
    return run_time.predicting(n_images, dataset, [STUDY.network_of(name) for name in names], computing, passes)


def predicting_minutes(wildcards, attempt):
    """The minutes of a job that predicts all images."""
    return attempt * passing_minutes(wildcards, [wildcards.name], 1 + STUDY.evaluation.mc_dropout_passes)


def extracting_minutes(wildcards, attempt):
    """The minutes of a job that predicts the training images too."""
    further = memory.train_images(STUDY.datasets[wildcards.dataset])
    return attempt * passing_minutes(wildcards, [wildcards.name], 1, further)


def enhancing_minutes(wildcards, attempt):
    """The minutes of a job that enhances images, with every candidate on val."""
    return attempt * passing_minutes(wildcards, [wildcards.name], run_time.STEPS * n_candidates(wildcards))


def communicating_minutes(wildcards, attempt):
    """The minutes of a job whose members are run on messages."""
    return attempt * passing_minutes(wildcards, models_that_compute(wildcards), run_time.STEPS)


def preparing_minutes(wildcards, attempt):
    """The minutes of a job that decodes the images of a data set, of which test has no more than train."""
    dataset = STUDY.datasets[wildcards.dataset]
    return attempt * run_time.preparing(dataset, 2 * memory.source_images(dataset))


def converting_minutes(wildcards, attempt):
    """The minutes of a job that makes an OOD set, corrupted images or a re-collected set."""
    dataset, ood_sets = predicted_sets(wildcards.dataset)
    return attempt * run_time.preparing(dataset, memory.predicted_images(dataset, ood_sets))


def reading_minutes(wildcards, attempt):
    """The minutes of a job that reads a table of logits."""
    return attempt * run_time.reading(memory.logits_mb(*predicted_sets(wildcards.dataset)))


def comparing_minutes(wildcards, attempt):
    """The minutes of a job that reads the tables of all arms and replicates."""
    largest = max(memory.logits_mb(*predicted_sets(name)) for name in STUDY.datasets)
    return attempt * run_time.reading(largest, len(all_metrics()))

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
    """The minutes of a job that runs teachers on the views of students, which have one recipe."""
    student = STUDY.students[students_by_views()[wildcards.views]]
    networks = [STUDY.network_of(teacher) for teacher in teachers_by_name()[wildcards.model]]
    known = (STUDY.datasets[wildcards.dataset], STUDY.recipes[student.recipe], student)
    return attempt * run_time.storing_targets(*known, networks)


@cache
def students_by_views():
    """A student of each stream of views."""
    return {views_name(name): name for name in STUDY.students}


def segmenter_minutes(wildcards, attempt):
    """The minutes of a segmenter's training, of all its rounds."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    epochs, teacher = segmenter.epochs * (segmenter.rounds or 1), STUDY.network_of(segmenter.teacher)
    return attempt * run_time.segmenting(STUDY.datasets[wildcards.dataset], segmenter, epochs, teacher)


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
    """The minutes of a job that enhances images, with every candidate on val, and learns how."""
    enhancer, (dataset, ood_sets) = STUDY.enhancers[wildcards.variant], predicted_sets(wildcards.dataset)
    networks = [STUDY.network_of(name) for name in (wildcards.name, *enhancer.learns_by())]
    known = (memory.predicted_images(dataset, ood_sets), dataset, enhancer, n_candidates(wildcards), networks)
    return attempt * run_time.enhancing(*known, Computing(*STUDY.computing(models_that_compute(wildcards))))


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
    return attempt * run_time.converting(memory.predicted_images(dataset, ood_sets))


def reading_minutes(wildcards, attempt):
    """The minutes of a job that reads a table of logits."""
    return attempt * run_time.reading(memory.logits_mb(*predicted_sets(wildcards.dataset)))


def comparing_arms_minutes(wildcards, attempt):
    """The minutes of a job that reads the tables of all arms of a data set."""
    mb = memory.logits_mb(*predicted_sets(wildcards.dataset))
    return attempt * run_time.reading(mb, len(compared_predictions_of(wildcards)))


def fitting_minutes(wildcards, attempt):
    """The minutes of a job that fits a pool or scores from features of several tables: as of a hundred tables."""
    return attempt * run_time.reading(memory.logits_mb(*predicted_sets(wildcards.dataset)), 100)


def masks_minutes(wildcards, attempt):
    """The minutes of a job that looks at all training images with their masks."""
    return attempt * run_time.converting(memory.train_images(STUDY.datasets[wildcards.dataset]))


def comparing_minutes(wildcards, attempt):
    """The minutes of a job that reads the tables of all arms and replicates."""
    largest = max(memory.logits_mb(*predicted_sets(name)) for name in STUDY.datasets)
    return attempt * run_time.reading(largest, len(all_metrics()))

# How much memory jobs request: in MB, and as much again at each further attempt.


def dataset_mb(wildcards, attempt):
    """The memory of a job that reads a data set, times the attempts at it."""
    return attempt * memory.job_mb(STUDY.datasets[wildcards.dataset])


def ood_mb(wildcards, attempt):
    """The memory of a job that converts an OOD set."""
    return attempt * memory.converting_mb(STUDY.datasets[wildcards.dataset], STUDY.ood_sets[wildcards.ood])


def corruption_mb(wildcards, attempt):
    """The memory of a job that corrupts images at several severities."""
    return attempt * memory.corrupting_mb(STUDY.datasets[wildcards.dataset])


def shifted_mb(wildcards, attempt):
    """The memory of a job that reads a re-collected test set."""
    entry = STUDY.datasets[wildcards.dataset]
    return attempt * memory.recollecting_mb(entry, entry.shifted[wildcards.shifted])


def digesting_mb(wildcards, attempt):
    """The memory of a job that holds a file of images at a time: of the largest data set."""
    entries = [STUDY.datasets[name] for name in STUDY.datasets if not STUDY.without_images(name)]
    held = [memory.converting_mb(entry, STUDY.ood_sets[ood]) for entry in entries for ood in entry.ood]
    held += [memory.recollecting_mb(entry, source) for entry in entries for source in entry.shifted.values()]
    return attempt * max([memory.LEAST_MB, *map(memory.job_mb, entries), *held])


def maps_mb(wildcards, attempt):
    """The memory of a job that holds the maps or the masks of a data set's images."""
    return attempt * memory.job_mb(STUDY.datasets[wildcards.dataset], memory.MAP_BYTES)


def recipe_mb(wildcards, attempt):
    """The memory of a training, times the attempts at it."""
    recipe = STUDY.recipes[STUDY.models[wildcards.model].recipe]
    network, n_batches = STUDY.network_of(wildcards.model), STUDY.models[wildcards.model].n_batches
    return attempt * memory.training_mb(STUDY.datasets[wildcards.dataset], recipe, network, n_batches)


def distilling_mb(wildcards, attempt):
    """The memory of a student's training: of each of its processes with all teachers, unless their targets are stored."""
    student = wildcards.model
    teachers = [] if STUDY.stores_soft_labels(student) else STUDY.students[student].teacher
    held = memory.teachers_mb(map(STUDY.network_of, teachers)) * STUDY.recipes[STUDY.students[student].recipe].gpu
    return recipe_mb(wildcards, attempt) + attempt * held


def soft_labels_mb(wildcards, attempt):
    """The memory of a job that runs teachers on a data set's views."""
    held = memory.teachers_mb(map(STUDY.network_of, teachers_by_name()[wildcards.model]))
    return dataset_mb(wildcards, attempt) + attempt * held


@cache
def predicted_sets(dataset):
    """Return a data set, and the entries of the OOD sets that its models are evaluated on.

    Without images, the files of predictions say how much there is of it, OOD sets included, which need no entry.
    """
    entry = STUDY.datasets[dataset]
    if STUDY.without_images(dataset):
        files = [model.files(dataset).values() for model in STUDY.predictions.values()]
        return memory.of_predictions(entry, files), []
    return entry, [STUDY.ood_sets[name] for name in entry.ood]


def predicting_mb(wildcards, attempt):
    """The memory of a job that predicts all images, a file of them at a time, with the model's network."""
    known = (*predicted_sets(wildcards.dataset), STUDY.network_of(wildcards.name))
    return attempt * memory.predicting_mb(*known)


def extracting_mb(wildcards, attempt):
    """The memory of a job that predicts, and holds the training images and all features."""
    known = (*predicted_sets(wildcards.dataset), STUDY.network_of(wildcards.name))
    return attempt * memory.extracting_mb(*known)


def features_mb(wildcards):
    """The size of a file of features."""
    known = (*predicted_sets(wildcards.dataset), STUDY.network_of(wildcards.name))
    return max(1, round(memory.features_mb(*known)))


def scoring_mb(wildcards, attempt):
    """The memory of a job that computes scores from features."""
    known = (*predicted_sets(wildcards.dataset), STUDY.network_of(wildcards.name))
    return attempt * memory.scoring_mb(*known)


def networks_on_host(wildcards):
    """The networks whose gradients a job computes in its own memory: of all models that it runs, unless it has a GPU."""
    models = models_that_compute(wildcards)
    return [] if STUDY.computing(models)[0] == "cuda" else [STUDY.network_of(name) for name in models]


def enhancing_mb(wildcards, attempt):
    """The memory of a job that holds all images that it enhances, and val's predictions by each candidate."""
    enhancer, known = STUDY.enhancers[wildcards.variant], (*predicted_sets(wildcards.dataset), n_candidates(wildcards))
    train = memory.COPIES * round(memory.images_mb(known[0])) if siblings_of_enhancer(wildcards) else 0
    train += memory.teachers_mb(map(STUDY.network_of, enhancer.learns_by()))
    return attempt * (memory.enhancing_mb(*known, *networks_on_host(wildcards), shifted=bool(enhancer.shifted)) + train)


def n_candidates(wildcards):
    """How many settings an enhancer chooses from."""
    n = 1
    for values in STUDY.enhancers[wildcards.variant].model_dump(exclude={"models", "siblings"}).values():
        n *= len(values) if isinstance(values, list) else 1
    return n


def communicating_mb(wildcards, attempt):
    """The memory of a job that holds val, test and OOD images, and predictions of every member."""
    n_members = len(STUDY.predicting_members(wildcards.group, wildcards.protocol))
    known = (*predicted_sets(wildcards.dataset), n_members)
    is_fitted = hasattr(STUDY.protocols[wildcards.protocol], "penalty")
    fitted = memory.fitted_mb(known[0], n_members) if is_fitted else 0
    if STUDY.protocols[wildcards.protocol].reads_train:
        fitted += memory.COPIES * round(memory.images_mb(known[0]))
    return attempt * (memory.communicating_mb(*known, networks_on_host(wildcards)) + fitted)


def reading_mb(wildcards, attempt):
    """The memory of a job that reads a table of logits."""
    return attempt * memory.reading_mb(*predicted_sets(wildcards.dataset))


def combining_mb(wildcards, attempt):
    """The memory of a job that reads the members' tables of logits."""
    protocol, n_members = STUDY.protocols[wildcards.protocol], len(STUDY.groups[wildcards.group].members)
    known = (*predicted_sets(wildcards.dataset), n_members)
    if protocol.method.endswith("stacking"):
        return attempt * memory.stacking_mb(*known, len(protocol.penalty), protocol.n_folds)
    if hasattr(protocol, "penalty"):
        return attempt * memory.pooling_mb(*known)
    return attempt * memory.combining_mb(*known)


def comparing_groups_mb(wildcards, attempt):
    """The memory of a job that reads the tables of a group at a time: of the largest group and data set."""
    n_members = max((len(group.members) for group in STUDY.groups.values()), default=0)
    return attempt * max(memory.combining_mb(*predicted_sets(name), n_members) for name in STUDY.datasets)


def comparing_students_mb(wildcards, attempt):
    """The memory of a job that reads the tables of a student, its teachers and references at a time."""
    pairs = student_teacher_pairs()
    n_tables = max((1 + len(pair["teachers"]) + len(pair["references"]) for pair in pairs), default=0)
    return attempt * max(memory.combining_mb(*predicted_sets(name), n_tables) for name in STUDY.datasets)


def comparing_arms_mb(wildcards, attempt):
    """The memory of a job that reads the table of an arm at a time: of the largest data set."""
    return attempt * max(memory.reading_mb(*predicted_sets(name)) for name in STUDY.datasets)


def metrics_mb(wildcards, attempt):
    """The memory of a job that holds all metrics."""
    return attempt * memory.collecting_mb(len(all_metrics()))


def drawing_mb(wildcards, attempt):
    """The memory of a job that draws a figure from tables of logits, of metrics, or from images."""
    figure = STUDY.figures[wildcards.figure]
    asked = [memory.FIGURE_MB]
    if "predictions" in figure.reads:
        asked += [memory.drawing_mb(*predicted_sets(figure.dataset))]
    if "metrics" in figure.reads:
        asked += [memory.collecting_mb(len(metrics_of_figure(figure)), memory.FIGURE_MB)]
    if "images" in figure.reads:
        asked += [memory.job_mb(STUDY.datasets[figure.dataset], memory.MAP_BYTES)]
    return attempt * max(asked)


def choosing_mb(wildcards, attempt):
    """The memory of a job that reads the tables of an arm at a time, and the test images."""
    known = predicted_sets(wildcards.dataset)
    return attempt * max(memory.reading_mb(*known), memory.job_mb(STUDY.datasets[wildcards.dataset]))


def page_mb(wildcards, attempt):
    """The memory of the job that renders the page from all metrics and figures."""
    return attempt * memory.rendering_mb(len(all_metrics()), len(STUDY.figures))

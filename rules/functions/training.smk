# Params and input functions of models and their training.


def model_settings(wildcards):
    """What a model's training depends on, but for its input files."""
    trained = wildcards.model not in STUDY.pretrained
    own = STUDY.own_images(wildcards.dataset) if trained else {}
    if wildcards.model in STUDY.augmented:
        own = {**own, "masks": STUDY.masks_on(wildcards.dataset, wildcards.model)}
    return canonical({**STUDY.model_settings(wildcards.model), **own})


def model_modules(wildcards):
    """The modules of the methods that a model is trained by: loss, target transform, mixing, and network families."""
    return STUDY.modules_of_model(wildcards.model)


def family_of_model(wildcards):
    """The module of the family of the network in a model's checkpoint."""
    return STUDY.families_of(wildcards.get("model") or wildcards.name)


def training_threads(wildcards):
    """A training job's threads come from its recipe, so that the result does not depend on --cores."""
    return STUDY.recipes[STUDY.models[wildcards.model].recipe].threads


def training_gpus(wildcards):
    """The number of GPUs of the recipe, or none if it sets device: cpu."""
    recipe = STUDY.recipes[STUDY.models[wildcards.model].recipe]
    return recipe.gpu if recipe.device != "cpu" else 0


def weights_of_model(wildcards):
    """The file that a model's network starts from, or is, where the config names one."""
    weights = STUDY.weights(wildcards.model)
    return here([weights]) if weights else []


def checkpoint_file(dataset, model, replicate):
    """Return a model's checkpoint of a replicate; of a pretrained model that of the first replicate."""
    return CHECKPOINT.format(dataset=dataset, model=model, replicate=STUDY.replicate_of(model, replicate))


def start_of_robust(wildcards):
    """The checkpoint, of the same replicate, of the model that a robust one is fine-tuned from."""
    return checkpoint_file(wildcards.dataset, STUDY.robust[wildcards.model].fine_tuned_from, wildcards.replicate)


def teachers_of_student(wildcards):
    """The teachers of the student's own replicate, by name."""
    teachers = STUDY.students[wildcards.model].teacher
    return [checkpoint_file(wildcards.dataset, teacher, wildcards.replicate) for teacher in teachers]


@cache
def teachers_name(student):
    """The name of a student's teachers: of one its own, of several one for each set of them."""
    teachers = STUDY.students[student].teacher
    return teachers[0] if len(teachers) == 1 else f"mean-{digest({'mean of': teachers}, [])}"


@cache
def teachers_by_name():
    """The teachers of each set that students have."""
    return {teachers_name(name): student.teacher for name, student in STUDY.students.items()}


def teachers_of_soft_labels(wildcards):
    """The teachers of a file of soft labels, of the students' own replicate."""
    return [
        checkpoint_file(wildcards.dataset, teacher, wildcards.replicate)
        for teacher in teachers_by_name()[wildcards.model]
    ]


def families_of_teachers(wildcards):
    """The modules of the families of the networks in these checkpoints."""
    return STUDY.families_of(*teachers_by_name()[wildcards.model])


@cache
def views_name(student):
    """The name of the stream of views that a student sees, by what it depends on."""
    return f"views-{digest(STUDY.views(student), [])}"


def soft_labels_of_student(wildcards):
    """The file of a student's targets, where they are stored."""
    student = wildcards.model
    if not STUDY.stores_soft_labels(student):
        return []
    keys = {"model": teachers_name(student), "views": views_name(student)}
    return SOFT_LABELS.format(dataset=wildcards.dataset, replicate=wildcards.replicate, **keys)


@cache
def views_by_name():
    """What each stream of views depends on."""
    return {views_name(student): STUDY.views(student) for student in STUDY.students}


def views_of_soft_labels(wildcards):
    """What a stream of views depends on, by its name."""
    return views_by_name()[wildcards.views]


def soft_labels_threads(wildcards):
    """Threads come from the recipe, as in training."""
    return views_of_soft_labels(wildcards)["threads"]


def soft_labels_gpus(wildcards):
    """One GPU, or none if the recipe sets device: cpu."""
    return int(views_of_soft_labels(wildcards)["device"] != "cpu")


def soft_labels_settings(wildcards):
    """The views, of which images, what is kept of the logits, and how large the file may be."""
    limits = {"top_k": STUDY.soft_labels.top_k}
    limits["max_gb"] = STUDY.soft_labels.max_gb if STUDY.soft_labels.mode == "auto" else None
    views = {key: value for key, value in views_of_soft_labels(wildcards).items() if key != "segmenter"}
    return canonical({**views, **limits, **STUDY.own_images(wildcards.dataset)})


def masks_of_soft_labels(wildcards):
    """The segmenter's masks that the stream mixes by, if it names a segmenter."""
    return masks_by(views_of_soft_labels(wildcards).get("segmenter"), wildcards)


def mixer_of_soft_labels(wildcards):
    """The modules by which the stream mixes images, if it does."""
    mixing = views_of_soft_labels(wildcards).get("mixing")
    return (MIXER, *modules_named("mixing", [mixing["method"]])) if mixing else ()


def masks_of_model(wildcards):
    """The segmenter's masks that a model mixes by, if it does."""
    mixed = wildcards.model in STUDY.mixed
    return masks_by(STUDY.segmenter_on(wildcards.dataset, wildcards.model) if mixed else None, wildcards)


def masks_by(segmenter, wildcards):
    """The masks of a segmenter, if there is one, for the data set and the replicate of a job."""
    return [masks_file(MASKS, wildcards.dataset, segmenter, wildcards.replicate)] if segmenter else []


def masks_file(pattern, dataset, segmenter, replicate):
    """Return a file of the segmenter whose masks a replicate has."""
    return pattern.format(dataset=dataset, segmenter=segmenter, replicate=STUDY.segmented_by(segmenter, replicate))

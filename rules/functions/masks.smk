# Params and input functions of segmenters and masks.


def maps_mb(wildcards, attempt):
    """The memory of a segmenter's training or prediction, times the attempts at it."""
    return attempt * memory.job_mb(STUDY.datasets[wildcards.dataset], memory.MAP_BYTES)


def teacher_of_segmenter(wildcards):
    """The one teacher whose class activation maps the segmenter learns from."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    return checkpoint_file(wildcards.dataset, segmenter.teacher, segmenter.teacher_replicate)


def segmenter_threads(wildcards):
    """A segmenter's threads come from the config."""
    return STUDY.segmenters[wildcards.segmenter].threads


def segmenter_gpus(wildcards):
    """One GPU, or none if the config sets device: cpu."""
    return int(STUDY.segmenters[wildcards.segmenter].device != "cpu")


def segmenter_settings(wildcards):
    """What a segmenter's training depends on, but for its teacher."""
    return canonical(STUDY.segmenters[wildcards.segmenter].model_dump(exclude={"teacher", "teacher_replicate"}))


def segmenting_settings(wildcards):
    """The device and the threads that masks are predicted with."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    return canonical({"device": segmenter.device, "threads": segmenter.threads})


def mask_quality_settings(wildcards):
    """What masks are compared with."""
    return canonical({"mask_truth": STUDY.datasets[wildcards.dataset].mask_truth})


def family_of_segmenters_teacher(wildcards):
    """The module of the teacher's network family."""
    return STUDY.families_of(STUDY.segmenters[wildcards.segmenter].teacher)


def mixing_modules(wildcards):
    """The module of the method that mixes a model's images."""
    return modules_of(STUDY.augmented[wildcards.model].mixing)


def mixing_settings(wildcards):
    """How a model's images are mixed and augmented, and where their objects are known to be."""
    model = STUDY.augmented[wildcards.model]
    settings = model.model_dump(include={"mixing", "masks"})
    settings |= STUDY.recipes[model.recipe].model_dump(include={"shift_px", "flip"})
    return canonical({**settings, "mask_truth": STUDY.datasets[wildcards.dataset].mask_truth})

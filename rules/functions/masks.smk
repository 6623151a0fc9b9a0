# Params and input functions of segmenters and masks.

# what its training is independent of
OF_MASKS = {"teacher", "teacher_replicate", "dilate_px", "min_confidence", "allowed_empty_or_full"}


def teacher_of_segmenter(wildcards):
    """The teacher, of the segmenter's replicate, whose maps it learns from."""
    return checkpoint_file(wildcards.dataset, STUDY.segmenters[wildcards.segmenter].teacher, wildcards.replicate)


def own_masks(wildcards):
    """What differs between the segmenters of replicates: nothing where one serves all."""
    return STUDY.own_masks(wildcards.dataset, wildcards.segmenter, wildcards.replicate)


def segmenter_threads(wildcards):
    """A segmenter's threads come from the config."""
    return STUDY.segmenters[wildcards.segmenter].threads


def segmenter_gpus(wildcards):
    """One GPU, or none if the config sets device: cpu."""
    return int(STUDY.segmenters[wildcards.segmenter].device != "cpu")


def weights_of_segmenter(wildcards):
    """The file that a segmenter's encoder starts from, where the config names one."""
    weights = STUDY.segmenters[wildcards.segmenter].weights_file
    return here([weights]) if weights else []


def segmenter_settings(wildcards):
    """What a segmenter's training depends on, but for its teacher and the place of its encoder's weights."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    known = segmenter.model_dump(exclude=OF_MASKS, exclude_none=True)
    return canonical(known | ({"encoder_weights": "file"} if segmenter.weights_file else {}) | own_masks(wildcards))


def segmenting_settings(wildcards):
    """What masks are predicted with, how confident they are to be, and whose images they are of."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    known = segmenter.model_dump(include={"device", "threads", "dilate_px", "min_confidence"}, exclude_none=True)
    return canonical({**known, **own_masks(wildcards)})


def mask_quality_settings(wildcards):
    """What masks are compared with, how many may be useless, and whose images they are of."""
    known = STUDY.segmenters[wildcards.segmenter].model_dump(include={"allowed_empty_or_full"}, exclude_none=True)
    return canonical({"mask_truth": STUDY.datasets[wildcards.dataset].mask_truth, **known, **own_masks(wildcards)})


def families_of_segmenter(wildcards):
    """The module of the teacher's network family, and timm's where the encoder starts from weights."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    own = modules_named("families", ["timm"]) if segmenter.encoder_weights else ()
    return (*STUDY.families_of(segmenter.teacher), *own)


def mixing_modules(wildcards):
    """The modules by which a model's images are mixed."""
    return MIXER, *modules_of(STUDY.augmented[wildcards.model].mixing)


def mixing_settings(wildcards):
    """How a model's images are mixed and augmented, and where their objects are known to be."""
    model = STUDY.augmented[wildcards.model]
    settings = model.model_dump(include={"mixing", "masks", "twin", "fold"})
    settings |= STUDY.recipes[model.recipe].model_dump(include={"shift_px", "crop", "flip"})
    settings["mask_truth"] = STUDY.datasets[wildcards.dataset].mask_truth
    settings["masks"] = STUDY.masks_on(wildcards.dataset, wildcards.model)
    return canonical({**settings, **STUDY.own_images(wildcards.dataset)})

# Params and input functions of figures and of the report.


def figure_entry(wildcards):
    """A figure's entry, but for the study that it stands with."""
    return STUDY.figures[wildcards.figure].model_dump(exclude={"study"})


def figure_settings(wildcards):
    """A figure's entry."""
    return canonical({"figure": figure_entry(wildcards)})


def enhancement_examples_settings(wildcards):
    """A figure's entry, and the arms to be marked."""
    return canonical({"figure": figure_entry(wildcards), "bounds": sorted(STUDY.upper_bounds())})


def arms_figure_settings(wildcards):
    """What a figure of arms is drawn by."""
    return canonical(arms_figure(wildcards))


def arms_figure(wildcards):
    """A figure's entry, all arms of the study, so that an arm looks the same in every figure, and those to be marked."""
    return {"figure": figure_entry(wildcards), "all_arms": all_arms(), "bounds": sorted(STUDY.upper_bounds())}


def figure_scores(wildcards):
    """The module of the score that a figure shows."""
    return scores_modules([STUDY.figures[wildcards.figure].score])


def predictions_of_figure(wildcards):
    """The predictions of the arms that a figure shows: arms first, then replicates."""
    figure = STUDY.figures[wildcards.figure]
    return arm_files(PREDICTIONS, figure.dataset, figure.arms)


def metrics_of_figure(wildcards):
    """The numbers of the arms that a figure shows, or of every arm, on its data set."""
    figure = STUDY.figures[wildcards.figure]
    return once(arm_files(METRICS, figure.dataset, figure.arms or all_arms()))


def object_size_settings(wildcards):
    """What a figure of arms is drawn by, and where objects are known to be."""
    truth = STUDY.datasets[STUDY.figures[wildcards.figure].dataset].mask_truth
    return canonical({**arms_figure(wildcards), "mask_truth": truth})


def mixed_labels_of_figure(wildcards):
    """What mixing does to labels: models of a figure first, then replicates."""
    figure = STUDY.figures[wildcards.figure]
    return [
        MIXED_LABELS.format(dataset=figure.dataset, model=model, replicate=replicate)
        for model, replicate in product(figure.models, sorted(STUDY.replicates))
    ]


def masks_of_figure(wildcards):
    """The segmenter's masks, and what it learned from."""
    figure = STUDY.figures[wildcards.figure]
    return [pattern.format(dataset=figure.dataset, segmenter=figure.segmenter) for pattern in (MASKS, PSEUDO_MASKS)]


def images_of_figure(wildcards):
    """The images that a figure shows or tells of: those of its split, or training images."""
    figure = STUDY.figures[wildcards.figure]
    return SPLIT.format(dataset=figure.dataset, split=getattr(figure, "split", "train"))


def mask_gallery_settings(wildcards):
    """A figure's entry, and how the masks can be judged."""
    truth = STUDY.datasets[STUDY.figures[wildcards.figure].dataset].mask_truth
    return canonical({"figure": figure_entry(wildcards), "mask_truth": truth})


def examples_of_figure(wildcards):
    """The enhanced examples of one model and replicate, by each enhancer."""
    figure = STUDY.figures[wildcards.figure]
    return [
        EXAMPLES.format(
            dataset=figure.dataset,
            model=figure.model,
            replicate=STUDY.replicate_of(figure.model, figure.replicate),
            enhancer=enhancer,
        )
        for enhancer in figure.enhancers
    ]


def persuasion_of_figure(wildcards):
    """Who persuades whom, for every replicate."""
    figure = STUDY.figures[wildcards.figure]
    return [
        PERSUASION.format(
            dataset=figure.dataset,
            group=figure.group,
            replicate=replicate,
            protocol=figure.protocol,
        )
        for replicate in STUDY.replicates_of(figure.group)
    ]


def report_settings(wildcards):
    """The whole study, and the order of its entries, which JSON does not keep."""
    study = STUDY.model_dump() | {"replicates": sorted(STUDY.replicates)}
    order = {section: list(entries) for section, entries in study.items() if isinstance(entries, dict)}
    return canonical({"study": study, "order": order, "bounds": sorted(STUDY.upper_bounds())})

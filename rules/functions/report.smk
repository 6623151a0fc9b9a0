# Params and input functions of figures and of the report.


def read_by_figure(name, files):
    """Return the input function of one of plot_figure's inputs: no files where the figure's kind does not read it."""

    def found(wildcards):
        figure = STUDY.figures[wildcards.figure]
        return files(figure) if name in figure.reads else []

    found.__signature__ = inspect.signature(found)
    return found


def predictions_of_figure(figure):
    """The predictions of the arms that a figure shows: arms first, then replicates."""
    return arm_files(PREDICTIONS, figure.dataset, figure.shown_arms(STUDY), replicates_of_figure(figure))


def replicates_of_figure(figure):
    """The replicates of the study that a figure belongs to."""
    return STUDY.replicates_at(figure.study) if figure.study in STUDY.studies else STUDY.present


def metrics_of_figure(figure):
    """The metrics of the arms that a figure shows."""
    return once(arm_files(METRICS, figure.dataset, figure.shown_arms(STUDY)))


def images_of_figure(figure):
    """The images of the split that a figure shows, or training images."""
    return SPLIT.format(dataset=figure.dataset, split=getattr(figure, "split", "train"))


def masks_of_figure(figure):
    """The masks of the segmenter, of the first replicate where each has its own."""
    return masks_file(MASKS, figure.dataset, figure.segmenter, min(STUDY.replicates))


def pseudo_masks_of_figure(figure):
    """The pseudo-masks that the segmenter is trained on."""
    return masks_file(PSEUDO_MASKS, figure.dataset, figure.segmenter, min(STUDY.replicates))


def mixed_labels_of_figure(figure):
    """The tables of label errors under mixing: models of a figure first, then replicates."""
    return [
        MIXED_LABELS.format(dataset=figure.dataset, model=model, replicate=replicate)
        for model, replicate in product(figure.models, replicates_of_figure(figure))
    ]


def examples_of_figure(figure):
    """The enhanced examples of one model and replicate, by each enhancer."""
    first = min(STUDY.replicates) if figure.replicate is None else figure.replicate
    replicate = STUDY.replicate_of(figure.model, first)
    return [
        EXAMPLES.format(dataset=figure.dataset, model=figure.model, replicate=replicate, enhancer=enhancer)
        for enhancer in figure.enhancers
    ]


def persuasion_of_figure(figure):
    """The persuasion tables of every replicate."""
    return [
        PERSUASION.format(dataset=figure.dataset, group=figure.group, replicate=replicate, protocol=figure.protocol)
        for replicate in STUDY.replicates_of(figure.group)
    ]


def gaps_of_figure(figure):
    """The table of gaps to perfect orderings, of all arms."""
    return [TABLE.format(table="gaps")]


def enhancements_of_figure(figure):
    """The table of what was chosen of enhancers, and of their passes."""
    return [TABLE.format(table="enhancements")]


def groups_of_figure(figure):
    """The table of what groups gain and cost."""
    return [TABLE.format(table="groups")]


def fidelity_of_figure(figure):
    """The table of how alike students and their teachers predict."""
    return [TABLE.format(table="fidelity")]


def histories_of_figure(figure):
    """The training histories of the models that a figure shows: models first, then replicates."""
    keys = product(figure.arms, replicates_of_figure(figure))
    return [HISTORY.format(dataset=figure.dataset, model=model, replicate=replicate) for model, replicate in keys]


def figure_settings(wildcards):
    """A figure's entry without its `study`, and the facts about the study that its kind needs."""
    figure = STUDY.figures[wildcards.figure]
    needed = {name: CONTEXT[name](figure) for name in figure.needs}
    return canonical({"figure": figure.model_dump(exclude={"study"}), **needed})


def labels_of_figure(figure):
    """The labels of the arms that a figure shows."""
    return {arm: marked(STUDY.label(arm), arm in upper_bounds()) for arm in figure.shown_arms(STUDY)}


def looks_of_figure(figure):
    """The positions of the shown arms among all of the study: they fix an arm's colour and marker in every figure."""
    return {arm: arm_places()[arm] for arm in figure.shown_arms(STUDY)}


def mask_truth_of_figure(figure):
    """The source of the true masks."""
    return STUDY.datasets[figure.dataset].mask_truth


def own_images_of_figure(figure):
    """The training images of the first replicate, whose masks a figure shows; nothing where it has all."""
    own = STUDY.own_images(figure.dataset)
    return {"replicate": min(STUDY.replicates), **own["own_images"]} if own else {}


CONTEXT = {
    "labels": labels_of_figure,
    "looks": looks_of_figure,
    "mask_truth": mask_truth_of_figure,
    "own_images": own_images_of_figure,
}


@cache
def arm_places():
    """Return the position of each arm among all arms of the study."""
    return {arm: place for place, arm in enumerate(all_arms())}


@cache
def upper_bounds():
    """The arms that read the true labels."""
    return frozenset(STUDY.upper_bounds())


def figure_modules(wildcards):
    """The module of a figure's kind, and of the score that it shows."""
    figure = STUDY.figures[wildcards.figure]
    return (*modules_of(figure), *scores_modules([getattr(figure, "score", "none")]))


def report_modules(wildcards):
    """The modules of the kinds of the study's figures: their captions stand in the report."""
    return modules_of(*STUDY.figures.values())


def report_settings(wildcards):
    """The whole study, the order of its entries (canonical JSON sorts keys), and its arms' labels and upper bounds."""
    study = with_data_folder(STUDY.model_dump(), STUDY.data_folder) | {"replicates": STUDY.present}
    order = {section: list(entries) for section, entries in study.items() if isinstance(entries, dict)}
    labels = {arm: STUDY.label(arm) for arm in [*all_arms(), *STUDY.groups]}
    shown = {name: sorted(upper_bounds() & {*f.shown_arms(STUDY)}) for name, f in STUDY.figures.items()}
    bounds = {"all": sorted(upper_bounds()), "in_figures": shown}
    known = {"study": study, "order": order, "labels": labels, "upper_bounds": bounds}
    known |= {"licence": STUDY.licence, "licences": licences(STUDY)}
    return canonical({**known, "registration": registration(STUDY)})


def registration_settings(wildcards):
    """What is registered, the file beside the config into which it is written, and where its metrics would be."""
    return canonical({"file": str(REGISTRATION), "registered": registration(STUDY), "metrics": f"{RUN}/metrics"})


def registration_file(wildcards):
    """The file of what was registered, where there is one."""
    return [str(REGISTRATION)] if REGISTRATION.exists() else []

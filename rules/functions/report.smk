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
    datasets = getattr(figure, "datasets", [figure.dataset])
    return once(file for dataset in datasets for file in arm_files(METRICS, dataset, figure.shown_arms(STUDY)))


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
    """The enhanced examples of one model and replicate, by each enhancer, or the mixed ones of each model."""
    if hasattr(figure, "models"):
        return mixed_examples_of_figure(figure)
    first = min(STUDY.replicates) if figure.replicate is None else figure.replicate
    replicate = STUDY.replicate_of(figure.model, first)
    return [
        EXAMPLES.format(dataset=figure.dataset, model=figure.model, replicate=replicate, enhancer=enhancer)
        for enhancer in figure.enhancers
    ]


def mixed_examples_of_figure(figure):
    """The mixed examples of models, of the first replicate."""
    return [
        MIXED_EXAMPLES.format(dataset=figure.dataset, model=model, replicate=min(replicates_of_figure(figure)))
        for model in figure.models
    ]


def persuasion_of_figure(figure):
    """The persuasion tables of every replicate."""
    return [
        PERSUASION.format(dataset=figure.dataset, group=figure.group, replicate=replicate, protocol=figure.protocol)
        for replicate in STUDY.replicates_of(figure.group)
    ]


def gains_of_figure(figure):
    """The gains of messages, image by image, of the first replicate."""
    first = min(STUDY.replicates_of(figure.group))
    return [GAINS.format(dataset=figure.dataset, group=figure.group, replicate=first, protocol=figure.protocol)]


def counts_of_figure(figure):
    """The counts of images, which have the names of classes."""
    return [COUNTS.format(dataset=figure.dataset)]


def table_of_figure(name):
    """Return the function that gives one of the tables of all arms."""
    return lambda figure: [TABLE.format(table=name)]


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


def values_of_figure(figure):
    """The setting of each arm along which a figure shows it."""
    return {arm: figure.value_of(arm, STUDY) for arms in figure.series.values() for arm in arms}


def mask_truth_of_figure(figure):
    """The source of the true masks."""
    return STUDY.datasets[figure.dataset].mask_truth


def source_of_figure(figure):
    """The source of the data set, of which names of classes may be known."""
    return STUDY.datasets[figure.dataset].source


def own_images_of_figure(figure):
    """The training images of the first replicate, whose masks a figure shows; nothing where it has all."""
    own = STUDY.own_images(figure.dataset)
    return {"replicate": min(STUDY.replicates), **own["own_images"]} if own else {}


def corruptions_of_figure(figure):
    """The names and severities of the data set's corruptions."""
    return STUDY.datasets[figure.dataset].corruptions.model_dump(include={"names", "severities"})


def doses_of_figure(figure):
    """How many training images a replicate has, by data set."""
    return {name: STUDY.datasets[name].train_images_per_replicate for name in figure.datasets}


def claims_of_figure(figure):
    """The study whose comparisons a figure shows, and the margins that its claims give, by metric."""
    margins = {}
    for name, _, claim in decisions.claims(STUDY):
        given = {what.metric: what.margin for what in (claim, *claim.no_loss) if what.margin is not None}
        margins |= {name: given} if given and claim.study == figure.study else {}
    return {"study": figure.study, "margins": margins}


CONTEXT = {
    "claims": claims_of_figure,
    "corruptions": corruptions_of_figure,
    "doses": doses_of_figure,
    "labels": labels_of_figure,
    "looks": looks_of_figure,
    "values": values_of_figure,
    "mask_truth": mask_truth_of_figure,
    "own_images": own_images_of_figure,
    "source": source_of_figure,
}


@cache
def arm_places():
    """Return the position of each arm among all arms of the study."""
    return {arm: place for place, arm in enumerate(all_arms())}


@cache
def upper_bounds():
    """The arms that use true labels or true masks."""
    return frozenset(STUDY.upper_bounds())


def pictured_arms(wildcards):
    """A study's reference and arms, each with its replicates."""
    study, present = STUDY.studies[wildcards.study], STUDY.replicates_at(wildcards.study)
    arms = {arm: parse_arm(arm)[0] for arm in (study.reference, *study.arms)}
    return [(arm, once(STUDY.replicate_of(name, replicate) for replicate in present)) for arm, name in arms.items()]


def predictions_of_pictures(wildcards):
    """The predictions of a study's reference, then of its arms: arms first, then replicates."""
    return [
        file
        for arm, replicates in pictured_arms(wildcards)
        for file in arm_files(PREDICTIONS, wildcards.dataset, [arm], replicates)
    ]


def pictures_settings(wildcards):
    """The arms of the predictions files, in their order, and how many images are shown."""
    arms = [{"name": arm, "n_files": len(replicates)} for arm, replicates in pictured_arms(wildcards)]
    return canonical({"arms": arms, **STUDY.pictures.model_dump()})


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
    library = {"library": digest({}, sorted((RESOURCES / "datatables").iterdir()))}  # as embedded data, it is no input
    library["left_out"] = STUDY.notes_of_left_out
    known = {"study": study, "order": order, "labels": labels, "upper_bounds": bounds}
    known |= {"licence": STUDY.licence, "licences": licences(STUDY)}
    return canonical({**known, **library, "registration": registration(STUDY)})


def registration_settings(wildcards):
    """What is registered, the file beside the config into which it is written, and where its metrics would be."""
    return canonical({"file": str(REGISTRATION), "registered": registration(STUDY), "metrics": f"{RUN}/metrics"})


def registration_file(wildcards):
    """The file of what was registered, where there is one."""
    return [str(REGISTRATION)] if REGISTRATION.exists() else []

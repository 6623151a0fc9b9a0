# Params and input functions: each takes wildcards only, works in constant time and opens no file. No rules.
# Those of memory take the number of the attempt besides, which a profile's `retries` raises; no result depends on it.
#
# A list of the config that means a set reaches jobs sorted, so that its order reruns nothing; the report alone keeps it.


def sets_sorted(entry):
    """An entry whose lists mean sets, each in the one order that its meaning has."""
    return {key: sorted(value) if isinstance(value, list) else value for key, value in entry.items()}


# ---- data ----


def ood_files(wildcards):
    """The OOD sets that a data set's models are judged on."""
    return [OOD.format(dataset=wildcards.dataset, ood=ood) for ood in sorted(STUDY.datasets[wildcards.dataset].ood)]


def shifted_sets(wildcards):
    """The corrupted and the re-collected test sets that a data set's models are judged on."""
    name, entry = wildcards.dataset, STUDY.datasets[wildcards.dataset]
    names = sorted(entry.corruptions.names) if entry.corruptions else []
    corrupted = [CORRUPTED.format(dataset=name, corruption=corruption) for corruption in names]
    return [*corrupted, *(SHIFTED.format(dataset=name, shifted=shifted) for shifted in sorted(entry.shifted))]


def published_corruption(wildcards):
    """The published files of a corruption; nothing where it is built in."""
    source = STUDY.datasets[wildcards.dataset].corruptions.source
    return [] if source == "built-in" else shifted_files(source, wildcards.corruption)


def shifted_source_files(wildcards):
    """The files of a re-collected test set."""
    return shifted_files(STUDY.datasets[wildcards.dataset].shifted[wildcards.shifted])


def shifted_settings(wildcards):
    """Where a re-collected test set comes from."""
    return canonical({"source": STUDY.datasets[wildcards.dataset].shifted[wildcards.shifted]})


def source_files(wildcards):
    """What a data set is made of: files, or the folders that list them."""
    return list(files_of(STUDY.datasets[wildcards.dataset].source, RESOURCES))


def ood_source_files(wildcards):
    """What an OOD set is made of; nothing where it comes with a package."""
    source = STUDY.ood_sets[wildcards.ood].source
    return [] if source.startswith("sklearn:") else list(files_of(source, RESOURCES))


def ood_settings(wildcards):
    """Where an OOD set comes from, and how much of it is taken."""
    return canonical(STUDY.ood_sets[wildcards.ood].model_dump(exclude={"overlap"}))


def dataset_settings(wildcards):
    """Where a data set comes from, how it is split and what it becomes."""
    return canonical(
        STUDY.datasets[wildcards.dataset].model_dump(exclude={"mask_truth", "ood", "corruptions", "shifted"})
    )


def file_settings(wildcards):
    """Where a published file is, and its checksum."""
    url, md5 = DOWNLOADS[wildcards.file]
    return canonical({"url": url, "md5": md5})


def corruption_settings(wildcards):
    """Which images are corrupted, and how much."""
    corruptions = STUDY.datasets[wildcards.dataset].corruptions
    return canonical(
        {
            "name": wildcards.corruption,
            "source": corruptions.source,
            "severities": sorted(corruptions.severities),
            "n_images": corruptions.n_images,
        }
    )


# ---- memory ----


def dataset_mb(wildcards, attempt):
    """What a job takes that reads a data set, times the attempts at it."""
    return attempt * memory.job_mb(STUDY.datasets[wildcards.dataset])


def recipe_mb(wildcards, attempt):
    """What a training takes, times the attempts at it."""
    recipe = STUDY.recipes[STUDY.models[wildcards.model].recipe]
    return attempt * memory.training_mb(STUDY.datasets[wildcards.dataset], recipe)


def maps_mb(wildcards, attempt):
    """What a segmenter takes, or who makes its masks, times the attempts at it."""
    return attempt * memory.job_mb(STUDY.datasets[wildcards.dataset], memory.MAP_BYTES)


# ---- models ----


def model_settings(wildcards):
    """What a model's training depends on, but for its input files."""
    return canonical(STUDY.model_settings(wildcards.model))


def training_threads(wildcards):
    """A training job's threads come from its recipe, so that the result does not depend on --cores."""
    return STUDY.recipes[STUDY.models[wildcards.model].recipe].threads


def training_gpus(wildcards):
    """As many GPUs as the recipe says, unless it says cpu."""
    recipe = STUDY.recipes[STUDY.models[wildcards.model].recipe]
    return recipe.gpu if recipe.device != "cpu" else 0


def weights_of_model(wildcards):
    """The file that a model's network starts from, or is, where the config names one."""
    weights = STUDY.weights(wildcards.model)
    return [weights] if weights else []


def checkpoint_file(dataset, model, seed):
    """The checkpoint that stands for a model among those of a seed."""
    return CHECKPOINT.format(dataset=dataset, model=model, seed=STUDY.seed_of(model, seed))


def teachers_of_student(wildcards):
    """The teachers of the student's own seed, by name."""
    teachers = STUDY.students[wildcards.model].teacher
    return [checkpoint_file(wildcards.dataset, teacher, wildcards.seed) for teacher in teachers]


def teacher_of_soft_labels(wildcards):
    """The teacher of the students' own seed."""
    return checkpoint_file(wildcards.dataset, wildcards.model, wildcards.seed)


@cache
def views_name(student):
    """The name of the stream of views that a student sees, by what it depends on."""
    return f"views-{digest(STUDY.views(student), [])}"


def soft_labels_of_student(wildcards):
    """What each of the student's teachers said of every view, where that is stored."""
    if not STUDY.stores_soft_labels(wildcards.model):
        return []
    views = views_name(wildcards.model)
    return [
        SOFT_LABELS.format(dataset=wildcards.dataset, model=teacher, views=views, seed=wildcards.seed)
        for teacher in STUDY.students[wildcards.model].teacher
    ]


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
    """One GPU, unless the recipe says cpu."""
    return int(views_of_soft_labels(wildcards)["device"] != "cpu")


def soft_labels_settings(wildcards):
    """The views, what is kept of the answers, and how large the file may be."""
    limits = {"top_k": STUDY.soft_labels.top_k}
    limits["max_gb"] = STUDY.soft_labels.max_gb if STUDY.soft_labels.mode == "auto" else None
    return canonical({**views_of_soft_labels(wildcards), **limits})


def masks_of_model(wildcards):
    """The masks that an augmented model mixes by, if it does."""
    segmenter = STUDY.augmented[wildcards.model].segmenter
    return [MASKS.format(dataset=wildcards.dataset, segmenter=segmenter)] if segmenter else []


# ---- masks ----


def teacher_of_segmenter(wildcards):
    """The one teacher whose class activation maps the segmenter learns from."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    return checkpoint_file(wildcards.dataset, segmenter.teacher, segmenter.teacher_seed)


def segmenter_threads(wildcards):
    """A segmenter's threads come from the config."""
    return STUDY.segmenters[wildcards.segmenter].threads


def segmenter_gpus(wildcards):
    """One GPU, unless the config says cpu."""
    return int(STUDY.segmenters[wildcards.segmenter].device != "cpu")


def segmenter_settings(wildcards):
    """What a segmenter's training depends on, but for its teacher."""
    return canonical(STUDY.segmenters[wildcards.segmenter].model_dump(exclude={"teacher", "teacher_seed"}))


def segmenting_settings(wildcards):
    """Where masks are made."""
    segmenter = STUDY.segmenters[wildcards.segmenter]
    return canonical({"device": segmenter.device, "threads": segmenter.threads})


def judging_settings(wildcards):
    """How masks can be judged."""
    return canonical({"mask_truth": STUDY.datasets[wildcards.dataset].mask_truth})


def mixing_settings(wildcards):
    """How a model's images are mixed and seen, and where their objects are known to be."""
    model = STUDY.augmented[wildcards.model]
    settings = model.model_dump(include={"mixing", "masks"})
    settings |= STUDY.recipes[model.recipe].model_dump(include={"shift_px", "flip"})
    return canonical({**settings, "mask_truth": STUDY.datasets[wildcards.dataset].mask_truth})


# ---- enhancement and communication ----


def enhancer_settings(wildcards):
    """The method and the candidates that it chooses from on val."""
    return canonical(sets_sorted(STUDY.enhancers[wildcards.variant].model_dump(exclude={"models"})))


def enhancements_settings(wildcards):
    """Whose predictions they are."""
    return canonical({"arms": enhanced_arms()})


def members_of_group(wildcards):
    """The checkpoints of the members that are asked, by name: the order of the settings."""
    members = STUDY.speakers(wildcards.group, wildcards.protocol)
    return [checkpoint_file(wildcards.dataset, model, wildcards.seed) for model in members]


def predictions_of_members(wildcards):
    """The members' clean predictions, by name."""
    return [
        PREDICTIONS.format(
            dataset=wildcards.dataset,
            name=member,
            seed=STUDY.seed_of(member, wildcards.seed),
            variant="clean",
        )
        for member in sorted(STUDY.groups[wildcards.group].members)
    ]


def group_settings(wildcards):
    """The members that are asked by name, and how they decide."""
    members = STUDY.speakers(wildcards.group, wildcards.protocol)
    return canonical({"members": members, **sets_sorted(STUDY.protocols[wildcards.protocol].model_dump())})


def judging_groups_settings(wildcards):
    """Whose predictions they are, in the order in which they come."""
    return canonical(
        {
            "groups": [
                {"dataset": dataset, "group": group, "seed": seed, "n_members": len(members), "protocols": protocols}
                for dataset, group, seed, members, protocols in judged_groups()
            ]
        }
    )


# ---- evaluation ----


def predict_settings(wildcards):
    """What predictions depend on besides the model and the images."""
    return canonical({"mc_dropout_passes": STUDY.evaluation.mc_dropout_passes})


def metrics_settings(wildcards):
    """Whose numbers they are, and which are wanted."""
    name, variant = wildcards.name, wildcards.variant
    identity = {
        "dataset": wildcards.dataset,
        "name": name,
        "role": STUDY.role(name),
        "variant": variant,
    }
    return canonical({"identity": identity, "evaluation": wanted_numbers()})


@cache
def wanted_numbers():
    """The part of the config that says which numbers are computed, and how."""
    return sets_sorted(STUDY.evaluation.model_dump(exclude={"mc_dropout_passes"}))


def compared_predictions(wildcards):
    """Data sets first, then arms, then seeds: the order that the script relies on."""
    return [file for d in sorted(STUDY.datasets) for file in arm_files(PREDICTIONS, d, compared_arms())]


def hypothesis_settings(wildcards):
    """What is compared, and how."""
    return canonical(
        {
            "datasets": sorted(STUDY.datasets),
            "arms": compared_arms(),
            "pretrained": [arm for arm in compared_arms() if STUDY.is_pretrained(arm.partition("/")[0])],
            "seeds": sorted(STUDY.seeds),
            "hypotheses": [{"name": k, **h.model_dump()} for k, h in sorted(STUDY.hypotheses.items())],
            "studies": [
                {"name": k, "reference": s.reference, "arms": s.arms} for k, s in sorted(STUDY.studies.items())
            ],
            "comparisons": [c.model_dump() for c in STUDY.comparisons],
            "evaluation": {k: v for k, v in STUDY.evaluation.model_dump().items() if k in ("ece_bins", "n_resamples")},
        }
    )


def cost_settings(wildcards):
    """The names whose jobs count, so that what is left of a removed model does not."""
    names = {"clean", *STUDY.datasets, *STUDY.ood_sets, *STUDY.models, *STUDY.segmenters, *STUDY.enhancers}
    names |= {*STUDY.groups, *STUDY.protocols, *map(views_name, STUDY.students)}
    for dataset in STUDY.datasets.values():
        names |= {*dataset.shifted, *(dataset.corruptions.names if dataset.corruptions else [])}
    return canonical({"names": sorted(names), "seeds": sorted(STUDY.seeds)})


# ---- figures and report ----


def figure_entry(wildcards):
    """A figure's entry, but for the study that it stands with."""
    return STUDY.figures[wildcards.figure].model_dump(exclude={"study"})


def figure_settings(wildcards):
    """A figure's entry."""
    return canonical({"figure": figure_entry(wildcards)})


def arms_figure_settings(wildcards):
    """A figure's entry, all arms of the study, so that an arm looks the same in every figure, and those to be marked."""
    return canonical({"figure": figure_entry(wildcards), "all_arms": all_arms(), "bounds": sorted(STUDY.bounds())})


def predictions_of_figure(wildcards):
    """The predictions of the arms that a figure shows: arms first, then seeds."""
    figure = STUDY.figures[wildcards.figure]
    return arm_files(PREDICTIONS, figure.dataset, figure.arms)


def metrics_of_figure(wildcards):
    """The numbers of every arm on the data set that a figure shows."""
    return once(arm_files(METRICS, STUDY.figures[wildcards.figure].dataset, all_arms()))


def object_size_settings(wildcards):
    """A figure's entry, all arms of the study, and where objects are known to be."""
    figure = figure_entry(wildcards)
    truth = STUDY.datasets[figure["dataset"]].mask_truth
    return canonical({"figure": figure, "all_arms": all_arms(), "mask_truth": truth})


def mixed_labels_of_figure(wildcards):
    """What mixing does to labels: models of a figure first, then seeds."""
    figure = STUDY.figures[wildcards.figure]
    return [
        MIXED_LABELS.format(dataset=figure.dataset, model=model, seed=seed)
        for model, seed in product(figure.models, sorted(STUDY.seeds))
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
    """The enhanced examples of one model and seed, by each enhancer."""
    figure = STUDY.figures[wildcards.figure]
    return [
        EXAMPLES.format(
            dataset=figure.dataset,
            model=figure.model,
            seed=STUDY.seed_of(figure.model, figure.seed),
            enhancer=enhancer,
        )
        for enhancer in figure.enhancers
    ]


def persuasion_of_figure(wildcards):
    """Who persuades whom, for every seed."""
    figure = STUDY.figures[wildcards.figure]
    return [
        PERSUASION.format(
            dataset=figure.dataset,
            group=figure.group,
            seed=seed,
            protocol=figure.protocol,
        )
        for seed in STUDY.seeds_of(figure.group)
    ]


def report_settings(wildcards):
    """The whole study, and the order of its entries, which JSON does not keep."""
    study = STUDY.model_dump() | {"seeds": sorted(STUDY.seeds)}
    order = {section: list(entries) for section, entries in study.items() if isinstance(entries, dict)}
    return canonical({"study": study, "order": order, "bounds": sorted(STUDY.bounds())})


# Snakemake looks up a function's signature whenever it calls it; what is written down is found at once.
for function in [value for value in globals().values() if inspect.isfunction(value) and value.__module__ is None]:
    function.__signature__ = inspect.signature(function)

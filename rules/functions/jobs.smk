# Which jobs the study has: what collect_costs counts.


def cost_settings(wildcards):
    """The jobs up to the metrics, as their benchmark files are called: files of earlier studies may lie beside them."""
    jobs = [*jobs_of_data(), *jobs_of_training(), *jobs_of_masks(), *jobs_of_predictions()]
    return canonical({"jobs": sorted({f"{rule}/{'/'.join(map(str, keys))}" for rule, *keys in jobs})})


def replicate_key(name, replicate):
    """The key of the replicate that stands for a model or a group."""
    return f"replicate-{STUDY.replicate_of(name, replicate)}"


def jobs_of_data():
    """Rule and keys of each job that fetches or prepares images."""
    jobs, sources = [], []
    for dataset in [name for name in STUDY.datasets if not STUDY.without_images(name)]:
        entry = STUDY.datasets[dataset]
        sources += [entry.source, *(STUDY.ood_sets[ood].source for ood in entry.ood)]
        jobs += [("prepare_dataset", dataset), *(("prepare_ood", dataset, ood) for ood in entry.ood)]
        if STUDY.models:
            corrupted = entry.corruptions.names if entry.corruptions else []
            jobs += [("corrupt_images", dataset, corruption) for corruption in corrupted]
            jobs += [("prepare_shifted", dataset, shifted) for shifted in entry.shifted]
    files = map(Path, [file for source in set(sources) for file in files_from(source)])
    return jobs + [("fetch_file", file.relative_to(FETCHED)) for file in files if file.is_relative_to(FETCHED)]


TRAINED_BY = {
    "teachers": "train_teacher",
    "baselines": "train_baseline",
    "students": "distill_student",
    "augmented": "train_augmented",
    "robust": "train_robust",
    "pretrained": "import_model",
}


def jobs_of_training():
    """Rule and keys of each job that makes a checkpoint, or what students read."""
    jobs = []
    for dataset, replicate in product(STUDY.datasets, STUDY.present):
        for section, trained_by in TRAINED_BY.items():
            jobs += [(trained_by, dataset, name, replicate_key(name, replicate)) for name in getattr(STUDY, section)]
        for student in filter(STUDY.stores_soft_labels, STUDY.students):
            keys = (teachers_name(student), views_name(student), f"replicate-{replicate}")
            jobs.append(("precompute_soft_labels", dataset, *keys))
    return jobs


def jobs_of_masks():
    """Rule and keys of each job that makes masks which models are trained with."""
    used = {(dataset, STUDY.segmenter_on(dataset, name)) for dataset, name in product(STUDY.datasets, STUDY.mixed)}
    rules = ("train_segmenter", "segment_images")
    return [
        (rule, dataset, segmenter, f"replicate-{STUDY.segmented_by(segmenter, replicate)}")
        for rule, (dataset, segmenter), replicate in product(rules, used, STUDY.present)
        if segmenter
    ]


def jobs_of_predictions():
    """Rule and keys of each job that predicts, and that computes metrics of predictions."""
    jobs = []
    for dataset, replicate, arm in product(STUDY.datasets, STUDY.present, all_arms()):
        name, variant = parse_arm(arm)
        keys = (dataset, name, replicate_key(name, replicate))
        jobs += [("compute_metrics", *keys, variant)]
        if name in STUDY.groups:
            runs_models = STUDY.protocols[variant].runs_models
            jobs += [("communicate" if runs_models else "combine_members", *keys, variant)]
        elif variant != "clean":
            jobs += [("enhance_images", *keys, variant)]
        elif name in STUDY.featured():
            jobs += [(rule, *keys) for rule in ("predict_before_scores", "extract_features", "score_features")]
        else:
            jobs += [("predict" if name in STUDY.models else "read_predictions", *keys)]
    return jobs

# Params and input functions of data sets.


def ood_files(wildcards):
    """The OOD sets that a data set's models are evaluated on."""
    return [OOD.format(dataset=wildcards.dataset, ood=ood) for ood in sorted(STUDY.datasets[wildcards.dataset].ood)]


def shifted_sets(wildcards):
    """The corrupted and the re-collected test sets that a data set's models are evaluated on."""
    name, entry = wildcards.dataset, STUDY.datasets[wildcards.dataset]
    names = sorted(entry.corruptions.names) if entry.corruptions else []
    corrupted = [CORRUPTED.format(dataset=name, corruption=corruption) for corruption in names]
    return [*corrupted, *(SHIFTED.format(dataset=name, shifted=shifted) for shifted in sorted(entry.shifted))]


def published_corruption(wildcards):
    """The published files of a corruption; nothing where it is built in."""
    source = STUDY.datasets[wildcards.dataset].corruptions.source
    return [] if source == "built-in" else here(shifted_files(source, wildcards.corruption))


def corruption_modules(wildcards):
    """The module of a built-in corruption, or of the published format that it is read from."""
    source = STUDY.datasets[wildcards.dataset].corruptions.source
    return (
        modules_named("corruptions", [wildcards.corruption])
        if source == "built-in"
        else modules_of_source(source, "shifts")
    )


def shifted_source_files(wildcards):
    """The files of a re-collected test set."""
    return here(shifted_files(STUDY.datasets[wildcards.dataset].shifted[wildcards.shifted]))


def shifted_modules(wildcards):
    """The module of the format of a re-collected test set."""
    return modules_of_source(STUDY.datasets[wildcards.dataset].shifted[wildcards.shifted], "shifts")


def shifted_settings(wildcards):
    """Where a re-collected test set comes from, and how much memory it may take."""
    entry = STUDY.datasets[wildcards.dataset]
    return canonical({"source": entry.shifted[wildcards.shifted], "max_gb": entry.max_gb})


def source_files(wildcards):
    """What a data set is made of: files, or the folders that list them."""
    return files_from(STUDY.datasets[wildcards.dataset].source)


def source_modules(wildcards):
    """The module that reads a data set's source."""
    return modules_of_source(STUDY.datasets[wildcards.dataset].source)


def ood_source_files(wildcards):
    """What an OOD set is made of."""
    return files_from(STUDY.ood_sets[wildcards.ood].source)


def ood_source_modules(wildcards):
    """The module that reads an OOD set's source."""
    return modules_of_source(STUDY.ood_sets[wildcards.ood].source)


def files_from(source):
    """The files of a source; none if it comes with the project, whose place may change."""
    return [] if is_embedded(source) else here(files_of(source, FOLDERS))


def here(files):
    """Mark files that are no results: they lie where they are named, wherever results are kept."""
    return [local(str(file)) for file in files]


def ood_settings(wildcards):
    """Where an OOD set comes from, and how much of it is taken."""
    entry, max_gb = STUDY.ood_sets[wildcards.ood], STUDY.datasets[wildcards.dataset].max_gb
    return canonical({**entry.model_dump(exclude={"overlap"}), "max_gb": max_gb, **content_of(entry.source)})


def dataset_settings(wildcards):
    """The source of a data set, its splits, and the size and channels that it is converted to."""
    entry = STUDY.datasets[wildcards.dataset]
    of_others = {"mask_truth", "ood", "corruptions", "shifted", "train_images_per_replicate", "overlapping_draws"}
    known = entry.model_dump(exclude=of_others)
    if entry.val_from == "train":
        del known["val_from"]  # as data sets were prepared before there was a choice
    if entry.test_images is None:
        del known["test_images"]
    return canonical({**known, **content_of(entry.source)})


@cache
def content_of(source):
    """Return a digest of embedded files (10 MB, read once): their paths are no inputs, as a checkout may be moved."""
    if not is_embedded(source):
        return {}
    return {"content": digest({}, list(map(Path, files_of(source, FOLDERS))))}


def file_settings(wildcards):
    """The address of a published file, and its checksum."""
    url, md5 = downloads()[wildcards.file]
    return canonical({"url": url, "md5": md5})


def corruption_settings(wildcards):
    """Which images are corrupted, and how much."""
    entry = STUDY.datasets[wildcards.dataset]
    corruptions = entry.corruptions
    return canonical(
        {
            "name": wildcards.corruption,
            "source": corruptions.source,
            "severities": sorted(corruptions.severities),
            "n_images": corruptions.n_images,
            "max_gb": entry.max_gb,
        }
    )


@cache
def splits_of_data():
    """Return the data set and the file of all splits whose images are not made from others, by data set."""
    found = []
    for dataset in sorted(name for name in STUDY.datasets if not STUDY.without_images(name)):
        entry = STUDY.datasets[dataset]
        found += [(dataset, SPLIT.format(dataset=dataset, split=split)) for split in ("train", "val", "test")]
        found += [(dataset, OOD.format(dataset=dataset, ood=ood)) for ood in sorted(entry.ood)]
        found += [(dataset, SHIFTED.format(dataset=dataset, shifted=shifted)) for shifted in sorted(entry.shifted)]
    return found


def digested_splits():
    """Return the files of these splits."""
    return [file for _, file in splits_of_data()]


def digest_settings(wildcards):
    """The data set of each file of splits."""
    return canonical({"datasets": [dataset for dataset, _ in splits_of_data()]})

# Params and input functions of what predicts and of what is computed from predictions.
#
# A list of the config that means a set reaches jobs sorted, so that its order reruns nothing; the report alone keeps it.


def sets_sorted(entry):
    """Return a config entry with its lists sorted: they mean sets."""
    return {key: sorted(value) if isinstance(value, list) else value for key, value in entry.items()}


# ---- device and threads ----


def models_that_compute(wildcards):
    """The model, or those members of the group, that a job runs."""
    group = wildcards.get("group")
    return STUDY.predicting_members(group, wildcards.protocol) if group else [wildcards.name]


def computing_threads(wildcards):
    """The most threads of the models' recipes, so that the result does not depend on --cores."""
    return STUDY.computing(models_that_compute(wildcards))[1]


def computing_gpus(wildcards):
    """One GPU, or none if a model's recipe sets device: cpu."""
    return int(STUDY.computing(models_that_compute(wildcards))[0] != "cpu")


def computing_settings(wildcards):
    """The device and the threads, where they are not those that jobs take by themselves."""
    device, threads = STUDY.computing(models_that_compute(wildcards))
    return {} if (device, threads) == ("auto", 1) else {"computing": {"device": device, "threads": threads}}


# ---- enhancement and communication ----


def enhancer_settings(wildcards):
    """The method and the candidates that it chooses from on val, and in place of names, attacks' settings and folds."""
    enhancer = STUDY.enhancers[wildcards.variant]
    known = known_of_enhancer(enhancer)
    known |= {key: STUDY.enhancers[name].as_attack() for key, name in enhancer.attacks().items()}
    if siblings := siblings_of_enhancer(wildcards):
        known["siblings"] = [STUDY.models[name].fold.model_dump() for name in siblings]
        known |= STUDY.own_images(wildcards.dataset)
    return canonical({**known, **computing_settings(wildcards)})


def siblings_of_enhancer(wildcards):
    """The folds by whose errors an enhancer learns from training images, by name."""
    return sorted(getattr(STUDY.enhancers[wildcards.variant], "siblings", None) or [])


def checkpoints_of_siblings(wildcards):
    """Their checkpoints, of the replicate."""
    return [checkpoint_file(wildcards.dataset, name, wildcards.replicate) for name in siblings_of_enhancer(wildcards)]


def train_of_enhancer(wildcards):
    """The training split, where an enhancer learns from it."""
    return [SPLIT.format(dataset=wildcards.dataset, split="train")] if siblings_of_enhancer(wildcards) else []


def errors_of_another(wildcards):
    """The checkpoint of another model, where an enhancer learns on val by its errors."""
    other = getattr(STUDY.enhancers[wildcards.variant], "errors_of", None)
    return [checkpoint_file(wildcards.dataset, other, wildcards.replicate)] if other else []


def shifted_sets_of_enhancer(wildcards):
    """The corrupted and the re-collected test sets, where they are enhanced too."""
    return shifted_sets(wildcards) if STUDY.enhancers[wildcards.variant].shifted else []


def known_of_enhancer(enhancer):
    """What the jobs of an enhancer depend on."""
    return sets_sorted(enhancer.model_dump(exclude={"models"}, exclude_none=True))


def enhancer_modules(wildcards):
    """The modules of the enhancer's method, of attacks, and of the networks of further models that it learns by."""
    enhancer = STUDY.enhancers[wildcards.variant]
    own = modules_of(enhancer, *(STUDY.enhancers[name] for name in enhancer.attacks().values()))
    return (*own, *STUDY.families_of(*enhancer.learns_by()))


def enhancements_settings(wildcards):
    """The data set, model, enhancer and replicates of each predictions file."""
    return canonical({"arms": enhanced_arms()})


def members_of_group(wildcards):
    """The checkpoints of the members that predict, by name: the order of the settings."""
    members = STUDY.predicting_members(wildcards.group, wildcards.protocol)
    return [checkpoint_file(wildcards.dataset, model, wildcards.replicate) for model in members]


def families_of_members(wildcards):
    """The modules of the network families of the members that predict."""
    return STUDY.families_of(*STUDY.predicting_members(wildcards.group, wildcards.protocol))


def predictions_of_members(wildcards):
    """The members' clean predictions, by name."""
    return [
        PREDICTIONS.format(
            dataset=wildcards.dataset,
            name=member,
            replicate=STUDY.replicate_of(member, wildcards.replicate),
            variant="clean",
        )
        for member in sorted(STUDY.groups[wildcards.group].members)
    ]


def group_settings(wildcards):
    """The members that predict, by name, and how the group decides; what they compute on, where they are run."""
    members, protocol = (
        STUDY.predicting_members(wildcards.group, wildcards.protocol),
        STUDY.protocols[wildcards.protocol],
    )
    computing = computing_settings(wildcards) if protocol.runs_models else {}
    own = STUDY.own_images(wildcards.dataset) if protocol.reads_train else {}
    return canonical({"members": members, **sets_sorted(protocol.model_dump()), **computing, **own})


def train_of_protocol(wildcards):
    """The training split, where something of a protocol is fitted on it."""
    reads = STUDY.protocols[wildcards.protocol].reads_train
    return [SPLIT.format(dataset=wildcards.dataset, split="train")] if reads else []


def protocol_modules(wildcards):
    """The modules of the protocol and of its message."""
    return STUDY.modules_of_protocol(wildcards.protocol)


def compared_groups_settings(wildcards):
    """The groups, members and protocols of the predictions files, in their order."""
    return canonical({"groups": groups_of_files(compared_groups())})


def information_settings(wildcards):
    """The same of the data set's groups that keep gains, and how these are tested."""
    groups = groups_of_files(informed_groups(wildcards.dataset))
    return canonical({"groups": groups, "information": STUDY.evaluation.information.model_dump()})


def groups_of_files(groups):
    """What a script needs to know which file is whose."""
    keys = ("dataset", "group", "replicate", "n_members", "protocols")
    return [
        dict(zip(keys, (dataset, group, replicate, len(members), protocols)))
        for dataset, group, replicate, members, protocols in groups
    ]


# ---- predictions that others made ----


def given_files(wildcards):
    """The files of a model of which others made the predictions, of test first."""
    return here(STUDY.predictions[wildcards.name].files(wildcards.dataset).values())


def splits_of_given(wildcards):
    """The data set's splits, whose images the files must be predictions of; none where it has no images."""
    if STUDY.without_images(wildcards.dataset):
        return []
    splits = [SPLIT.format(dataset=wildcards.dataset, split=split) for split in ("val", "test")]
    return [*splits, *ood_files(wildcards)]


def given_mb(wildcards, input, attempt):
    """The memory of a job that reads files of predictions: they are compressed, and held as logits and as a table."""
    return attempt * round(1000 + 30 * input.size_mb)


def given_settings(wildcards):
    """Which splits the files hold, what their numbers are, and how val is drawn where no file has it."""
    entry, dataset = STUDY.predictions[wildcards.name], STUDY.datasets[wildcards.dataset]
    known = {"splits": list(entry.files(wildcards.dataset)), "numbers": entry.numbers}
    drawn = {"val_fraction": dataset.val_fraction, "split_seed": dataset.split_seed}
    return canonical({**known, **(drawn if STUDY.without_images(wildcards.dataset) else {})})


# ---- evaluation ----


def predict_settings(wildcards):
    """What predictions depend on besides the model and the images."""
    return canonical({"mc_dropout_passes": STUDY.evaluation.mc_dropout_passes, **computing_settings(wildcards)})


def features_settings(wildcards):
    """Which training images are the model's; one that was trained elsewhere is given all."""
    own = {} if wildcards.name in STUDY.pretrained else STUDY.own_images(wildcards.dataset)
    fold = STUDY.models[wildcards.name].model_dump(include={"fold"})
    return canonical({**own, **fold, **computing_settings(wildcards)})


def feature_scores_settings(wildcards):
    """The scores from features that anything is computed of."""
    return canonical({"scores": STUDY.evaluation.feature_scores()})


def feature_scores_modules(wildcards):
    """The modules of these scores."""
    return scores_modules(STUDY.evaluation.feature_scores())


def metrics_settings(wildcards):
    """The identity of the predictions, and which metrics are computed."""
    name, variant = wildcards.name, wildcards.variant
    identity = {
        "dataset": wildcards.dataset,
        "name": name,
        "role": STUDY.role(name),
        "variant": variant,
    }
    return canonical({"identity": identity, "evaluation": wanted_numbers()})


def metrics_modules(wildcards):
    """The modules of the scores that are computed."""
    return scores_modules(STUDY.evaluation.scores)


@cache
def wanted_numbers():
    """The part of the config on which metrics depend."""
    return sets_sorted(STUDY.evaluation.model_dump(exclude={"mc_dropout_passes", "guarantees", "information"}))


def scores_modules(names):
    """The modules of scores; accuracy has the score "none", which needs no module."""
    return modules_named("scores", set(names) - {"none"})


@cache
def measured_arms():
    """Return data set, name, variant and replicate of every predictions file, in an order independent of the config's."""
    return sorted(
        {
            (dataset, name, variant, STUDY.replicate_of(name, replicate))
            for dataset, (name, variant) in product(STUDY.datasets, map(parse_arm, all_arms()))
            for replicate in STUDY.replicates_of(name)
        }
    )


def measured_predictions():
    """The predictions of every arm and replicate, in that order."""
    keys = ("dataset", "name", "variant", "replicate")
    return [PREDICTIONS.format(**dict(zip(keys, arm))) for arm in measured_arms()]


def with_soft_labels():
    """The data sets of whose test images labels of several people are known."""
    return [name for name in sorted(STUDY.datasets) if STUDY.datasets[name].soft_labels]


def soft_labels_of_people():
    """The files of those labels, or of the test images with which they came."""
    files = {name: STUDY.datasets[name].soft_labels for name in with_soft_labels()}
    return [SPLIT.format(dataset=d, split="test") if file == "given" else file for d, file in files.items()]


def gap_settings(wildcards):
    """The arms of the predictions files, which of them have labels of people, and what is measured."""
    arms = [
        {
            "dataset": dataset,
            "name": name,
            "variant": variant,
            "replicate": replicate,
            "soft_labels": STUDY.has_soft_labels(dataset, name),
        }
        for dataset, name, variant, replicate in measured_arms()
    ]
    wanted = {key: wanted_numbers()[key] for key in ("scores", "coverages_percent")}
    return canonical({"arms": arms, "soft_labels": with_soft_labels(), **wanted})


def gap_modules(wildcards):
    """The modules of the scores, and of that at a temperature."""
    return scores_modules([*STUDY.evaluation.scores, "msp-ts"])


def fidelity_settings(wildcards):
    """The pairs of the predictions files, in their order."""
    return canonical({"pairs": student_teacher_pairs(), "ece_bins": STUDY.evaluation.ece_bins})


def compared_predictions(wildcards):
    """Data sets first, then arms, then replicates: the order that the script relies on."""
    return [file for d in sorted(STUDY.datasets) for file in arm_files(PREDICTIONS, d, compared_arms())]


def guarantees_settings(wildcards):
    """The arms of the predictions files, in their order, and which guarantees are computed."""
    arms = [
        {"dataset": d, "name": name, "variant": variant, "replicate": STUDY.replicate_of(name, replicate)}
        for d in sorted(STUDY.datasets)
        for name, variant in map(parse_arm, compared_arms())
        for replicate in STUDY.replicates_of(name)
    ]
    return canonical({"arms": arms, "guarantees": STUDY.evaluation.guarantees.model_dump()})


def guarantees_modules(wildcards):
    """The modules of the scores whose thresholds and probabilities are meant."""
    return scores_modules(STUDY.evaluation.guarantees.scores)


def compared_predictions_of(wildcards):
    """The predictions of a data set's arms, then replicates: the order that the script relies on."""
    return arm_files(PREDICTIONS, wildcards.dataset, compared_arms())


def contrast_settings(wildcards):
    """Which arms of a data set are compared, and by which metrics; not how claims are stated or decided."""
    dataset = wildcards.dataset
    stated = ("statement", "registered", "role", "on_at_least", "datasets")
    about = [each for each in decisions.claims(STUDY) if dataset in (each[2].datasets or STUDY.datasets)]
    known = [decisions.claim_settings(STUDY, *each) for each in about]
    masks = [decisions.mask_check_settings(STUDY, *each) for each in checked_masks(dataset)]
    masks = [without(check, ["statement"]) for check in masks]
    gains = [decisions.information_settings(STUDY, *each) for each in claimed_information(dataset)]
    return canonical(
        {
            "dataset": dataset,
            "arms": [{"name": a, "replicates": STUDY.replicates_of(parse_arm(a)[0])} for a in compared_arms()],
            "n_drawn": STUDY.draws_of(dataset).n_images,
            "claims": [without(claim, stated) for claim in known],
            "studies": [
                {"name": key, "reference": study.reference, "arms": study.arms, "replicates": STUDY.replicates_at(key)}
                for key, study in sorted(STUDY.studies.items())
            ],
            "comparisons": [c.model_dump() for c in STUDY.comparisons],
            "evaluation": {k: v for k, v in STUDY.evaluation.model_dump().items() if k in ("ece_bins", "n_resamples")},
            **({"attacked": attacked_arms(STUDY)} if attacked_arms(STUDY) else {}),
            **({"mask_checks": masks} if masks else {}),
            **({"information_claims": [without(each, stated) for each in gains]} if gains else {}),
        }
    )


def without(entry, keys):
    return {key: value for key, value in entry.items() if key not in keys}


def counts_if_overlapping(wildcards):
    """The counts of images of a data set whose replicates are drawn from the same training images, each by itself."""
    return [COUNTS.format(**wildcards)] if decisions.is_overlapping(STUDY, wildcards.dataset) else []


def hypothesis_settings(wildcards):
    """How the claims are stated and decided."""
    return canonical(decisions.decision_settings(STUDY))


def checked_masks(dataset):
    """The checks of a data set's masks."""
    return [each for each in decisions.mask_checks(STUDY) if each[2] == dataset]


def qualities_of_mask_checks(wildcards):
    """The quality tables of those masks: checks first, then replicates."""
    return [
        MASK_QUALITY.format(dataset=dataset, segmenter=check.segmenter, replicate=replicate)
        for _, check, dataset, replicates in checked_masks(wildcards.dataset)
        for replicate in replicates
    ]


def claimed_information(dataset):
    """The claims about gains on a data set, with their names."""
    claims = sorted(STUDY.information_claims.items())
    return [(key, claim) for key, claim in claims if dataset in (claim.datasets or STUDY.datasets)]


def information_if_claimed(wildcards):
    """The information test of a data set about which there are such claims."""
    return [INFORMATION.format(**wildcards)] if claimed_information(wildcards.dataset) else []


def contrast_modules(wildcards):
    """The modules of the scores by which arms are compared."""
    compared = [what for *_, claim in decisions.claims(STUDY) for what in claim.quantities()]
    repeated = [score for *_, claim in decisions.claims(STUDY) for score in STUDY.repeated_by(claim)]
    return scores_modules([*(what.score for what in (*STUDY.comparisons, *compared)), *repeated])

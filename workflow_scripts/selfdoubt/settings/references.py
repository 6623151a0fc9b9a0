"""Checks across the config, after those of types and before any job: that names exist and settings fit together."""

from collections.abc import Iterator

from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings import catalog
from selfdoubt.settings.analysis import SCORES
from selfdoubt.settings.attacks import check_attacked_not_on_val, check_attacks
from selfdoubt.settings.choices import check_all_known, check_known, check_replicate, check_unique
from selfdoubt.settings.circles import teachers_above
from selfdoubt.settings.claims import check_claims, claims_of
from selfdoubt.settings.combinations import (
    check_mixing,
    check_score_of_disagreement,
    check_techniques,
    models_with_given_masks,
    models_with_true_masks,
)
from selfdoubt.settings.data import BUILT_IN
from selfdoubt.settings.given import check_labels_of_people, check_masks
from selfdoubt.settings.learning_enhancers import check_learning
from selfdoubt.settings.looks import check_looks
from selfdoubt.settings.metrics import METRICS, split_name, takes_split
from selfdoubt.settings.predicted import check_figure_without_images, check_has_network, check_predictions
from selfdoubt.settings.replicates import check_own_images
from selfdoubt.settings.robust import check_robust
from selfdoubt.settings.splits import check_split
from selfdoubt.settings.students import check_students
from selfdoubt.settings.tuning import check_not_tested, check_tuned_on_known
from selfdoubt.settings.upper_bounds import BEST, ORACLE


def check_references(study) -> None:
    """Raise UserError, a line a fault, if names do not exist or are circular, or if settings do not fit together.

    study: a Study, whose types are checked. If models, groups or what they use have faults, only the model names of
    studies, hypotheses and figures are checked, since other faults there may follow from those.
    """
    found = _faults(_check_entries(study))
    found += _faults(_check_arms_exist(study) if found else _check_claims(study))
    if found:
        raise together(found)


def _faults(checks: Iterator[tuple]) -> list[UserError]:
    """Return the errors that the checks raise; a check does not rely on earlier ones having passed."""
    found = []
    for check, *arguments in checks:
        try:
            check(*arguments)
        except UserError as fault:
            found.append(fault)
    return found


def _check_entries(study) -> Iterator[tuple]:
    yield check_unique, "replicates", study.replicates
    yield check_looks, study
    yield _check_names_differ, study
    yield from _check_datasets(study)
    for section in ("networks", "pretrained"):
        for key, network in getattr(study, section).items():
            yield _check_network, f"{section}.{key}", network
    yield from _check_models(study)
    yield from _check_segmenters(study)
    for key, enhancer in study.enhancers.items():
        yield from _check_networks(f"enhancers.{key}.models", enhancer.models, study)
    yield from check_tuned_on_known(study)
    yield from check_attacks(study)
    yield from check_learning(study)
    for key, group in study.groups.items():
        yield _check_several, f"groups.{key}.members", group.members
        yield from check_all_known(f"groups.{key}.members", group.members, study.predicting, "a model")
        yield from check_all_known(f"groups.{key}.protocols", group.protocols, study.protocols, "a protocol")
        for name in group.protocols:
            yield _check_predicting_members, key, name, study
    yield from check_predictions(study)
    yield from _check_evaluation(study)


def _check_networks(place: str, names: list[str], study) -> Iterator[tuple]:
    """Yield the checks that names are those of models, each once, and that these have a network."""
    yield from check_all_known(place, names, study.predicting, "a model")
    for name in names:
        yield check_has_network, place, name, study


def _check_datasets(study) -> Iterator[tuple]:
    for key, dataset in study.datasets.items():
        place = f"datasets.{key}"
        if study.without_images(key):
            continue
        yield _check_storage, key, dataset, study
        yield check_own_images, key, dataset, study
        yield check_masks, place, dataset, study
        yield check_labels_of_people, key, dataset, study
        yield from check_all_known(f"{place}.ood", dataset.ood, study.ood_sets, "one of ood_sets")
        if corruptions := dataset.corruptions:
            place = f"{place}.corruptions"
            yield check_unique, f"{place}.severities", corruptions.severities
            if corruptions.source == "built-in":
                yield from check_all_known(f"{place}.names", corruptions.names, BUILT_IN, "a built-in corruption")
                yield _check_counted, place, corruptions
            else:
                yield check_unique, f"{place}.names", corruptions.names


def _check_storage(key: str, dataset, study) -> None:
    place = f"datasets.{key}"
    if dataset.storage != "files":
        return
    if not hasattr(catalog.settings_of(dataset.source), "IMAGE_FILES"):
        raise UserError(f"config: {place}.storage: files, but {dataset.source} has no image files; use arrays")
    needing = [f"the segmenter '{name}'" for name in study.segmenters]
    needing += [f"the given masks of '{name}'" for name in models_with_given_masks(study)]
    needing += [f"the true masks of '{name}'" for name in models_with_true_masks(study)]
    figures = study.figures.items()
    needing += [f"the figure '{name}'" for name, f in figures if "mixed_labels" in f.reads and f.dataset == key]
    if needing:
        remedy = "use arrays, or set what needs them to null"
        raise UserError(f"config: {place}.storage: files, but {needing[0]} needs images in memory; {remedy}")


def _check_counted(place: str, corruptions) -> None:
    if corruptions.n_images is None:
        raise UserError(f"config: {place}.n_images: missing; add how many test images to corrupt")


def _check_network(place: str, network) -> None:
    """Raise UserError if the keys about the weights of a network do not fit together."""
    weights = getattr(network, "weights", None)
    if weights and getattr(network, "pretrained", False):
        raise UserError(f"config: {place}.pretrained: true, but weights are read from a file; remove one of the two")
    if getattr(network, "weights_key", None) and not weights:
        raise UserError(f"config: {place}.weights_key: is of a file of weights; add 'weights: FILE', or remove it")
    mean, deviation = getattr(network, "mean", None), getattr(network, "deviation", None)
    if len(mean or []) != len(deviation or []):
        raise UserError(f"config: {place}.deviation: needs as many channels as mean, 1 or 3; write both")
    if mean and not (weights or getattr(network, "pretrained", True)):
        raise UserError(f"config: {place}.mean: is of trained weights, and there are none; remove it")


def _check_models(study) -> Iterator[tuple]:
    yield _check_any_model, study
    for section in ("teachers", "baselines", "students", "augmented", "robust"):
        for key, model in getattr(study, section).items():
            yield check_known, f"{section}.{key}.network", model.network, study.networks, "a network"
            yield check_known, f"{section}.{key}.recipe", model.recipe, study.recipes, "a recipe"
    for key in dict.fromkeys(getattr(model, "recipe", None) for model in study.models.values()):
        if key in study.recipes:
            yield _check_crop, f"recipes.{key}", study.recipes[key]
    for key, student in study.students.items():
        yield from _check_networks(f"students.{key}.teacher", student.teacher, study)
    yield from check_robust(study)
    yield from check_students(study)
    yield from check_techniques(study)
    yield from check_mixing(study)


def _check_any_model(study) -> None:
    if not study.predicting:
        raise UserError("config: baselines: the study has no model; add one, or a teacher")


def _check_crop(place: str, recipe) -> None:
    if recipe.crop is not None and recipe.shift_px:
        what = f"{recipe.shift_px}, but crop replaces it; set it to 0, or crop to null"
        raise UserError(f"config: {place}.shift_px: {what}")


def _check_segmenters(study) -> Iterator[tuple]:
    for key, segmenter in study.segmenters.items():
        yield from _check_networks(f"segmenters.{key}.teacher", [segmenter.teacher], study)
        if segmenter.teacher_replicate is not None:
            yield check_replicate, f"segmenters.{key}.teacher_replicate", segmenter.teacher_replicate, study
        yield _check_segmenter, key, segmenter, study


def _check_segmenter(key: str, segmenter, study) -> None:
    place = f"segmenters.{key}"
    if segmenter.encoder_weights and not segmenter.encoder.startswith("tu-"):
        raise UserError(
            f"config: {place}.encoder_weights: is for timm's encoders; write encoder: tu-NAME, or remove it"
        )
    if segmenter.background_below >= segmenter.foreground_above:
        raise UserError(f"config: {place}.background_below: not less than foreground_above; lower it")
    n, depth = len(segmenter.decoder_channels), segmenter.encoder_depth
    if n != depth:
        raise UserError(f"config: {place}.decoder_channels: {n} entries, encoder_depth is {depth}; give as many")
    mixed = [name for name, m in study.mixed.items() if m.segmenter == key]
    above = teachers_above(segmenter.teacher, study)
    if circle := [name for name in mixed if name in above]:
        raise UserError(f"config: {place}.teacher: circular: '{circle[0]}' learns from masks of '{key}'; name another")


def _check_names_differ(study) -> None:
    seen = {}
    for section in ("teachers", "baselines", "students", "augmented", "robust", "pretrained", "predictions", "groups"):
        for key in getattr(study, section):
            if key in seen:
                raise UserError(f"config: {section}.{key}: the name is taken by {seen[key]}.{key}; choose another")
            seen[key] = section
    taken = {
        "clean": "means unchanged images",
        ORACLE: "is in the table of every group",
        BEST: "is in the table of every group",
    }
    for section in ("enhancers", "protocols"):
        for name in taken.keys() & getattr(study, section).keys():
            raise UserError(f"config: {section}.{name}: '{name}' {taken[name]}; choose another name")


def _check_evaluation(study) -> Iterator[tuple]:
    for key in ("scores", "metrics", "selective_accuracies_percent", "coverages_percent", "ood_mixed_percent"):
        yield check_unique, f"evaluation.{key}", getattr(study.evaluation, key)
    for key in ("scores", "target_risks", "alphas") if (guarantees := study.evaluation.guarantees) else ():
        yield check_unique, f"evaluation.guarantees.{key}", getattr(guarantees, key)
    yield _check_passes, study.evaluation
    yield _check_features, study
    yield check_unique, "evaluation.resampled_splits", study.evaluation.resampled_splits
    for split in study.evaluation.resampled_splits:
        yield check_split, "evaluation.resampled_splits", split, study
    yield check_score_of_disagreement, study


def _check_passes(evaluation) -> None:
    needing = [score for score in evaluation.all_scores() if SCORES[score].needs_dropout_passes]
    if needing and evaluation.mc_dropout_passes == 0:
        raise UserError(f"config: evaluation.mc_dropout_passes: 0; the score {needing[0]} needs passes, such as 20")


def _check_features(study) -> None:
    needing = study.evaluation.feature_scores()
    if needing and not study.featured():
        remedy = "set `features: true` at a model, or remove the score"
        raise UserError(f"config: evaluation.scores: {needing[0]} needs features, and no model keeps any; {remedy}")


def _check_several(place: str, members: list[str]) -> None:
    if len(members) < 2:
        raise UserError(f"config: {place}: has {len(members)} entries and needs 2 or more; add one, or leave it out")


def _check_predicting_members(group: str, protocol: str, study) -> None:
    if protocol in study.protocols:
        _check_senders(group, protocol, study)
        for member in study.predicting_members(group, protocol):
            check_known(f"protocols.{protocol}", member, study.groups[group].members, f"a member of '{group}'")
            if study.protocols[protocol].runs_models:
                check_has_network(f"groups.{group}.protocols: {protocol} runs its members", member, study)


def _check_senders(group: str, protocol: str, study) -> None:
    place, senders = f"protocols.{protocol}.senders", getattr(study.protocols[protocol], "senders", None) or []
    for sender in senders:
        check_known(place, sender, study.groups[group].members, f"a member of '{group}'")
    check_unique(place, senders)
    if senders and not {*study.groups[group].members} - {*senders}:
        raise UserError(f"config: {place}: are all members of '{group}', so that no member listens; leave one out")


# ---- arms, claims, figures, labels ----


def _check_arms_exist(study) -> Iterator[tuple]:
    """Yield the checks that the models and groups of all arms exist."""
    for place, arm in named_arms(study):
        yield _check_model_of_arm, place, arm, study


def _check_claims(study) -> Iterator[tuple]:
    """Yield all checks of arms, studies, hypotheses, comparisons and figures."""
    for place, arm in named_arms(study):
        yield _check_arm, place, arm, study
    for key, text in study.studies.items():
        yield _check_reads_no_labels, f"studies.{key}.reference", text.reference, study
        yield check_unique, f"studies.{key}.arms", text.arms
        yield _check_differs, f"studies.{key}.arms", text.reference, text.arms, "the study's reference"
    yield from check_claims(study, _check_comparison, _check_reads_no_labels)
    yield check_unique, "comparisons", [tuple(each.model_dump().values()) for each in study.comparisons]
    for i, comparison in enumerate(study.comparisons):
        yield _check_comparison, f"comparisons.{i}", comparison, study
    for key, figure in study.figures.items():
        yield from _check_figure(f"figures.{key}", figure, study)
    yield from _check_labels(study)
    yield from check_not_tested(study)
    yield from check_attacked_not_on_val(study)


def named_arms(study) -> Iterator[tuple[str, str]]:
    """Yield each place where the config names arms, with the arm."""
    for key, text in study.studies.items():
        yield f"studies.{key}.reference", text.reference
        yield from ((f"studies.{key}.arms", arm) for arm in text.arms)
    for place, claim in claims_of(study):
        for side in ("better", "than"):
            named = getattr(claim, side)
            yield from ((f"{place}.{side}", arm) for arm in (named if isinstance(named, list) else [named]))
    for key, figure in study.figures.items():
        yield from ((f"figures.{key}.{at}", arm) for at, arm in figure.named_arms())


def _check_differs(place: str, arm: str, others: list[str], what: str) -> None:
    if arm in others:
        raise UserError(f"config: {place}: '{arm}' is also {what}; name another arm, or remove it")


def _check_figure(place: str, figure, study) -> Iterator[tuple]:
    if figure.study and study.studies:  # of a config without studies, all figures are further ones
        yield check_known, f"{place}.study", figure.study, study.studies, "a study"
    yield check_known, f"{place}.dataset", figure.dataset, study.datasets, "a data set"
    yield check_unique, f"{place}.arms", getattr(figure, "arms", [])
    if hasattr(figure, "split"):
        yield check_split, f"{place}.split", figure.split, study
        yield _check_shows_split, f"{place}.split", figure
    yield check_figure_without_images, place, figure, study
    yield from figure.checks(place, study)


def _check_shows_split(place: str, figure) -> None:
    """Raise UserError if a figure of correct and incorrect images is to show a split without labels, or a mean."""
    if figure.split.startswith("ood-"):
        raise UserError(f"config: {place}: '{figure.split}' has no labels, which {figure.kind} needs; name test")
    if figure.split.endswith("-mean") and "predictions" in figure.reads:
        what = f"'{figure.split}' is a mean of metrics, and {figure.kind} shows images"
        raise UserError(f"config: {place}: {what}; name a split, such as {figure.split.removesuffix('mean')}3")


def _check_labels(study) -> Iterator[tuple]:
    for arm in study.labels:
        if arm not in study.groups:
            yield _check_arm, f"labels.{arm}", arm, study
    yield _check_labels_differ, study


def _check_labels_differ(study) -> None:
    """Raise UserError if two arms or groups would look alike in figures and tables."""
    shown = {}
    for arm in dict.fromkeys([*study.arms(), *study.groups]):
        other = shown.setdefault(label := study.label(arm), arm)
        if other != arm:
            one, two = sorted((arm, other), key=lambda each: each not in study.labels)
            raise UserError(f"config: labels.{one}: '{label}' is also how '{two}' is shown; choose another")


def _check_comparison(place: str, comparison, study) -> None:
    metric, score, split = comparison.metric, comparison.score, comparison.split
    scores = _scores_of(metric, study)
    if score not in scores:
        raise UserError(f"config: {place}.score: {metric} does not take '{score}'; scores: {', '.join(scores)}")
    check_split(f"{place}.split", split, study)
    if not takes_split(metric, split):
        needed = "an ood- split" if takes_split(metric, "ood-") else "a labelled split"
        needed += ", not a mixed one" if "@" in split else ""
        raise UserError(f"config: {place}.split: '{split}'; {metric} needs {needed}")


def _scores_of(metric: str, study) -> list[str]:
    """Return the scores that a metric can be of: `accuracy` needs none, calibration needs probabilities."""
    kind, scores = METRICS[split_name(metric)[0]].kind, study.evaluation.scores
    if kind == "accuracy":
        return ["none"]
    return [score for score in scores if SCORES[score].defines_probabilities] if kind == "calibration" else scores


def _check_arm(place: str, arm: str, study) -> None:
    _check_model_of_arm(place, arm, study)
    name, _, variant = arm.partition("/")
    if variant or name in study.groups:
        choices = [f"{name}/{key}" for key in study.variants(name) if key != "clean"]
        check_known(place, arm, choices, "an arm")


def _check_model_of_arm(place: str, arm: str, study) -> None:
    check_known(place, arm.partition("/")[0], [*study.predicting, *study.groups], "a model or a group")


def _check_reads_no_labels(place: str, arm: str, study) -> None:
    if arm in study.label_readers():
        raise UserError(f"config: {place}: '{arm}' reads the true labels, so it is no contender; name another")

"""Names in the config that must point at something: checked after the types, before any job."""

import difflib
from pathlib import Path

from selfdoubt import published
from selfdoubt.errors import UserError
from selfdoubt.settings.analysis import CALIBRATION, PROBABILITY_SCORES
from selfdoubt.settings.data import BUILT_IN

ARGUED = ("persuasion", "one-way")  # protocols whose messages are for a class


def check_references(study) -> None:
    """Raise UserError at the first name of a Study that points nowhere, in a circle or at the wrong kind."""
    _unique("seeds", study.seeds)
    _one_name_space(study)
    _datasets(study)
    _networks(study)
    _models(study)
    _segmenters(study)
    for key, enhancer in study.enhancers.items():
        _all_known(f"enhancers.{key}.models", enhancer.models, study.models, "a model")
    for key, group in study.groups.items():
        _all_known(f"groups.{key}.members", group.members, study.models, "a model")
        _all_known(f"groups.{key}.protocols", group.protocols, study.protocols, "a protocol")
        for name in group.protocols:
            for speaker in study.speakers(key, name):
                _known(f"protocols.{name}", speaker, group.members, f"a member of '{key}'")
    _evaluation(study)
    for key, text in study.studies.items():
        for arm in (text.reference, *text.arms):
            _arm(f"studies.{key}", arm, study)
    for key, hypothesis in study.hypotheses.items():
        _known(f"hypotheses.{key}.study", hypothesis.study, study.studies, "a study")
        _arm(f"hypotheses.{key}.better", hypothesis.better, study)
        _arm(f"hypotheses.{key}.than", hypothesis.than, study)
        _comparison(f"hypotheses.{key}", hypothesis, study)
    for i, comparison in enumerate(study.comparisons):
        _comparison(f"comparisons.{i}", comparison, study)
    for key, figure in study.figures.items():
        _figure(f"figures.{key}", figure, study)


def check_files(study, resources: Path) -> None:
    """Raise UserError if weights, or what an image set is made of and cannot be fetched, are not there."""
    _weights(study)
    for section in ("datasets", "ood_sets"):
        for key, entry in getattr(study, section).items():
            if not entry.source.startswith("sklearn:"):
                _there(f"{section}.{key}.source", published.files_of, entry.source, resources)
    for key, dataset in study.datasets.items():
        corruptions = dataset.corruptions
        if corruptions and corruptions.source != "built-in":
            for name in corruptions.names:
                _there(f"datasets.{key}.corruptions", published.shifted_files, corruptions.source, name)
        for name, source in dataset.shifted.items():
            _there(f"datasets.{key}.shifted.{name}", published.shifted_files, source)


def _there(place: str, look, *where) -> None:
    try:
        look(*where)
    except UserError as fault:
        raise UserError(f"config: {place}: {fault}") from None


def _datasets(study) -> None:
    for key, dataset in study.datasets.items():
        if dataset.source.startswith("sklearn:"):
            raise UserError(f"config: datasets.{key}.source: {dataset.source} is for ood_sets; it has no splits")
        if dataset.storage == "files" and dataset.source.partition(":")[0] not in ("folder", "imagenet"):
            raise UserError(f"config: datasets.{key}.storage: only folders and imagenet have files; use arrays")
        _all_known(f"datasets.{key}.ood", dataset.ood, study.ood_sets, "one of ood_sets")
        if dataset.corruptions:
            place = f"datasets.{key}.corruptions"
            _unique(f"{place}.names", dataset.corruptions.names)
            _unique(f"{place}.severities", dataset.corruptions.severities)
            if dataset.corruptions.source == "built-in":
                _all_known(f"{place}.names", dataset.corruptions.names, BUILT_IN, "a built-in corruption")
                if dataset.corruptions.n_images is None:
                    raise UserError(f"config: {place}.n_images: built-in corruptions need it; say how many")


def _networks(study) -> None:
    for key, network in study.networks.items():
        if getattr(network, "weights", None) and network.pretrained:
            raise UserError(f"config: networks.{key}.pretrained: true, and weights name a file; remove one of the two")


def _weights(study) -> None:
    for name, model in study.models.items():
        if (path := study.weights(name)) and not Path(path).is_file():
            place = f"pretrained.{name}" if name in study.pretrained else f"networks.{model.network}"
            raise UserError(f"config: {place}.weights: {path} is missing; put the file there, or name where it is")


def _models(study) -> None:
    if not study.models:
        raise UserError("config: baselines: the study has no model; add one, or a teacher")
    for section in ("teachers", "baselines", "students", "augmented"):
        for key, model in getattr(study, section).items():
            _known(f"{section}.{key}.network", model.network, study.networks, "a network")
            _known(f"{section}.{key}.recipe", model.recipe, study.recipes, "a recipe")
    for key, student in study.students.items():
        _known(f"students.{key}.teacher", student.teacher, study.models, "a model")
        _no_circle(key, study)
    for key, model in study.augmented.items():
        needs = model.mixing.method == "mask-cutmix"
        if needs and model.segmenter is None:
            raise UserError(f"config: augmented.{key}.segmenter: mixing by masks needs one; add 'segmenter: NAME'")
        if not needs and model.segmenter is not None:
            raise UserError(f"config: augmented.{key}.segmenter: '{model.mixing.method}' uses no masks; remove it")
        if needs:
            _known(f"augmented.{key}.segmenter", model.segmenter, study.segmenters, "a segmenter")


def _segmenters(study) -> None:
    for key, segmenter in study.segmenters.items():
        place = f"segmenters.{key}"
        _known(f"{place}.teacher", segmenter.teacher, study.models, "a model")
        if segmenter.teacher_seed not in study.seeds:
            raise UserError(f"config: {place}.teacher_seed: {segmenter.teacher_seed} is not one of seeds {study.seeds}")
        if segmenter.background_below >= segmenter.foreground_above:
            raise UserError(f"config: {place}.background_below: must be less than foreground_above")
        if len(segmenter.decoder_channels) != segmenter.encoder_depth:
            raise UserError(f"config: {place}.decoder_channels: give as many as encoder_depth")
        mixed = [name for name, m in study.augmented.items() if m.segmenter == key]
        above = _teachers_above(segmenter.teacher, study)
        if circle := [name for name in mixed if name in above]:
            raise UserError(f"config: {place}.teacher: circular: '{circle[0]}' learns from the masks of '{key}'")


def _teachers_above(name: str, study) -> list[str]:
    chain = [name]
    while chain[-1] in study.students and study.students[chain[-1]].teacher not in chain:
        chain.append(study.students[chain[-1]].teacher)
    return chain


def _no_circle(student: str, study) -> None:
    chain = [student]
    while chain[-1] in study.students:
        chain.append(study.students[chain[-1]].teacher)
        if chain[-1] in chain[:-1]:
            path = " -> ".join(chain)
            raise UserError(f"config: students.{student}.teacher: circular ({path}); let one of them learn from labels")


def _one_name_space(study) -> None:
    seen = {}
    for section in ("teachers", "baselines", "students", "augmented", "pretrained", "groups"):
        for key in getattr(study, section):
            if key in seen:
                raise UserError(f"config: {section}.{key}: the name is taken by {seen[key]}.{key}; choose another")
            seen[key] = section
    for section in ("enhancers", "protocols"):
        if "clean" in getattr(study, section):
            raise UserError(f"config: {section}.clean: 'clean' means unchanged images; choose another name")


def _figure(place: str, figure, study) -> None:
    _known(f"{place}.study", figure.study, study.studies, "a study")
    _known(f"{place}.dataset", figure.dataset, study.datasets, "a data set")
    for arm in getattr(figure, "arms", []):
        _arm(f"{place}.arms", arm, study)
    match figure.kind:
        case "mask-gallery":
            _known(f"{place}.segmenter", figure.segmenter, study.segmenters, "a segmenter")
        case "persuasion-matrix":
            _known(f"{place}.group", figure.group, study.groups, "a group")
            spoken = [key for key in study.variants(figure.group) if study.protocols[key].method in ARGUED]
            _known(f"{place}.protocol", figure.protocol, spoken, "a protocol of the group that argues")
        case "enhancement-examples":
            if figure.seed not in study.seeds:
                raise UserError(f"config: {place}.seed: {figure.seed} is not one of seeds {study.seeds}")
            for enhancer in figure.enhancers:
                _arm(f"{place}.enhancers", f"{figure.model}/{enhancer}", study)


def _evaluation(study) -> None:
    evaluation = study.evaluation
    _unique("evaluation.scores", evaluation.scores)
    _unique("evaluation.metrics", evaluation.metrics)
    _unique("evaluation.selective_accuracies_percent", evaluation.selective_accuracies_percent)
    _unique("evaluation.coverages_percent", evaluation.coverages_percent)
    if "mc-dropout" in evaluation.scores and evaluation.mc_dropout_passes == 0:
        raise UserError("config: evaluation.mc_dropout_passes: 0; the score mc-dropout needs passes, such as 20")
    _all_known("evaluation.resampled_splits", evaluation.resampled_splits, _splits(study), "a split")


def _comparison(place: str, comparison, study) -> None:
    metric, score, split = comparison.metric, comparison.score, comparison.split
    scores = _scores_of(metric, study)
    if score not in scores:
        raise UserError(f"config: {place}.score: {metric} does not take '{score}'; scores: {', '.join(scores)}")
    _known(f"{place}.split", split, _splits(study), "a split")
    if metric.startswith("ood-") != split.startswith("ood-"):
        needed = "an ood- split" if metric.startswith("ood-") else "a labelled split"
        raise UserError(f"config: {place}.split: '{split}'; {metric} is measured on {needed}")


def _scores_of(metric: str, study) -> list[str]:
    """Return the scores that a metric can be of: `accuracy` needs none, calibration needs probabilities."""
    if metric == "accuracy":
        return ["none"]
    scores = study.evaluation.scores
    return [score for score in scores if score in PROBABILITY_SCORES] if metric in CALIBRATION else scores


def _splits(study) -> list[str]:
    """Return the splits, and means over splits, that have numbers."""
    splits = ["val", "test"]
    for dataset in study.datasets.values():
        splits += [*(f"ood-{name}" for name in dataset.ood), *(f"shifted-{name}" for name in dataset.shifted)]
        if dataset.corruptions:
            c = dataset.corruptions
            splits += [f"{name}-{severity}" for name in c.names for severity in [*c.severities, "mean"]]
            splits += ["corrupted-mean"]
    return splits


def _arm(place: str, arm: str, study) -> None:
    name, _, variant = arm.partition("/")
    _known(place, name, [*study.models, *study.groups], "a model or a group")
    if variant or name in study.groups:
        choices = [f"{name}/{key}" for key in study.variants(name) if key != "clean"]
        _known(place, arm, choices, "an arm")


def _all_known(place: str, names: list[str], known, kind: str) -> None:
    _unique(place, names)
    for name in names:
        _known(place, name, known, kind)


def _known(place: str, name: str, known, kind: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else "."
        raise UserError(f"config: {place}: '{name}' is not {kind}{hint} Choices: {', '.join(known) or 'none'}")


def _unique(place: str, values: list) -> None:
    for value in values:
        if values.count(value) > 1:
            raise UserError(f"config: {place}: {value} is given twice; remove one")

"""Names in the config that must point at something: checked after the types, before any job."""

from collections.abc import Iterator
from pathlib import Path

from selfdoubt import published
from selfdoubt.errors import UserError, together
from selfdoubt.settings.analysis import CALIBRATION, PROBABILITY_SCORES
from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.data import BUILT_IN
from selfdoubt.settings.models import ByMasks

ARGUED = ("persuasion", "one-way")  # protocols whose messages are for a class


def check_references(study) -> None:
    """Raise UserError, a line a fault, about names that point nowhere, in a circle or at the wrong kind of thing.

    study: a Study whose types are right already. While models, groups and what belongs to them are at fault, of
    studies, hypotheses and figures the models alone are looked at: the rest may follow from those faults.
    """
    found = _faults(_of_entries(study))
    found += _faults(_of_models_named(study) if found else _of_claims(study))
    if found:
        raise together(found)


def _faults(checks: Iterator[tuple]) -> list[UserError]:
    """Return what is raised by functions with their arguments, none of which relies on another's having passed."""
    found = []
    for check, *arguments in checks:
        try:
            check(*arguments)
        except UserError as fault:
            found.append(fault)
    return found


def _of_entries(study) -> Iterator[tuple]:
    yield _unique, "seeds", study.seeds
    yield _one_name_space, study
    yield from _of_datasets(study)
    for key, network in study.networks.items():
        yield _network, f"networks.{key}", network
    yield from _of_models(study)
    yield from _of_segmenters(study)
    for key, enhancer in study.enhancers.items():
        yield from _all_known(f"enhancers.{key}.models", enhancer.models, study.models, "a model")
    for key, group in study.groups.items():
        yield from _all_known(f"groups.{key}.members", group.members, study.models, "a model")
        yield from _all_known(f"groups.{key}.protocols", group.protocols, study.protocols, "a protocol")
        for name in group.protocols:
            yield _speaking, key, name, study
    yield from _of_evaluation(study)


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


def _of_datasets(study) -> Iterator[tuple]:
    for key, dataset in study.datasets.items():
        place = f"datasets.{key}"
        yield _stored, place, dataset, study
        yield from _all_known(f"{place}.ood", dataset.ood, study.ood_sets, "one of ood_sets")
        if corruptions := dataset.corruptions:
            place = f"{place}.corruptions"
            yield _unique, f"{place}.severities", corruptions.severities
            if corruptions.source == "built-in":
                yield from _all_known(f"{place}.names", corruptions.names, BUILT_IN, "a built-in corruption")
                yield _counted, place, corruptions
            else:
                yield _unique, f"{place}.names", corruptions.names


def _stored(place: str, dataset, study) -> None:
    if dataset.source.startswith("sklearn:"):
        raise UserError(f"config: {place}.source: {dataset.source} is for ood_sets; it has no splits")
    if dataset.storage != "files":
        return
    if dataset.source.partition(":")[0] not in ("folder", "imagenet"):
        raise UserError(f"config: {place}.storage: only folders and imagenet have files; use arrays")
    if study.segmenters:
        needing = f"the segmenter '{next(iter(study.segmenters))}' needs images in memory"
        raise UserError(f"config: {place}.storage: files, and {needing}; use arrays, or set the segmenter to null")


def _counted(place: str, corruptions) -> None:
    if corruptions.n_images is None:
        raise UserError(f"config: {place}.n_images: built-in corruptions need it; say how many")


def _network(place: str, network) -> None:
    if getattr(network, "weights", None) and network.pretrained:
        raise UserError(f"config: {place}.pretrained: true, and weights name a file; remove one of the two")


def _weights(study) -> None:
    for name, model in study.models.items():
        if (path := study.weights(name)) and not Path(path).is_file():
            place = f"pretrained.{name}" if name in study.pretrained else f"networks.{model.network}"
            raise UserError(f"config: {place}.weights: {path} is missing; put the file there, or name where it is")


def _of_models(study) -> Iterator[tuple]:
    yield _any_model, study
    for section in ("teachers", "baselines", "students", "augmented"):
        for key, model in getattr(study, section).items():
            yield _known, f"{section}.{key}.network", model.network, study.networks, "a network"
            yield _known, f"{section}.{key}.recipe", model.recipe, study.recipes, "a recipe"
    for key in dict.fromkeys(getattr(model, "recipe", None) for model in study.models.values()):
        if key in study.recipes:
            yield _cropped, f"recipes.{key}", study.recipes[key], study
    for key, student in study.students.items():
        yield from _all_known(f"students.{key}.teacher", student.teacher, study.models, "a model")
        yield _no_circle, key, study
        yield _compares_images, key, student, study
    for key, model in study.augmented.items():
        yield _mixed, f"augmented.{key}", model, study


def _any_model(study) -> None:
    if not study.models:
        raise UserError("config: baselines: the study has no model; add one, or a teacher")


def _cropped(place: str, recipe, study) -> None:
    if recipe.crop is None:
        return
    if recipe.shift_px:
        raise UserError(
            f"config: {place}.shift_px: {recipe.shift_px}; crop takes its place: set it to 0, or crop to null"
        )
    for key, dataset in study.datasets.items():
        if dataset.storage == "arrays":
            here = f"those of '{key}' are arrays"
            raise UserError(f"config: {place}.crop: is for images that stay in files, and {here}; use shift_px")


def _compares_images(key: str, student, study) -> None:
    recipe = study.recipes.get(student.recipe)
    if recipe and recipe.gpu > 1 and student.compares_images:
        place, why = f"recipes.{student.recipe}.gpu", f"students.{key} compares the images of a whole batch"
        raise UserError(f"config: {place}: {recipe.gpu}, but {why}; give it a recipe with 1")


def _mixed(place: str, model, study) -> None:
    sources = [key for key in ("segmenter", "masks") if getattr(model, key) is not None]
    if isinstance(model.mixing, ByMasks):
        if not sources:
            remedy = "add 'segmenter: NAME', or 'masks: given' for those of the data set"
            raise UserError(f"config: {place}.segmenter: mixing by masks needs one; {remedy}")
        if len(sources) > 1:
            raise UserError(f"config: {place}.masks: given, and a segmenter is named; remove one of the two")
        if model.segmenter is not None:
            _known(f"{place}.segmenter", model.segmenter, study.segmenters, "a segmenter")
    elif sources:
        raise UserError(f"config: {place}.{sources[0]}: '{model.mixing.method}' uses no masks; remove it")


def _of_segmenters(study) -> Iterator[tuple]:
    for key, segmenter in study.segmenters.items():
        yield _known, f"segmenters.{key}.teacher", segmenter.teacher, study.models, "a model"
        yield _a_seed, f"segmenters.{key}.teacher_seed", segmenter.teacher_seed, study
        yield _segmenter, key, segmenter, study


def _a_seed(place: str, seed: int, study) -> None:
    if seed not in study.seeds:
        raise UserError(f"config: {place}: {seed} is not one of seeds {study.seeds}")


def _segmenter(key: str, segmenter, study) -> None:
    place = f"segmenters.{key}"
    if segmenter.background_below >= segmenter.foreground_above:
        raise UserError(f"config: {place}.background_below: must be less than foreground_above")
    if len(segmenter.decoder_channels) != segmenter.encoder_depth:
        raise UserError(f"config: {place}.decoder_channels: give as many as encoder_depth")
    mixed = [name for name, m in study.augmented.items() if m.segmenter == key]
    above = _teachers_above(segmenter.teacher, study)
    if circle := [name for name in mixed if name in above]:
        raise UserError(f"config: {place}.teacher: circular: '{circle[0]}' learns from the masks of '{key}'")


def _teachers_above(name: str, study) -> list[str]:
    """Return a model, its teachers, theirs and so on."""
    above = [name]
    for each in above:  # which grows
        above += [teacher for teacher in _teachers_of(each, study) if teacher not in above]
    return above


def _teachers_of(name: str, study) -> list[str]:
    return study.students[name].teacher if name in study.students else []


def _no_circle(student: str, study) -> None:
    """Raise UserError if a student is above itself; of those in a circle, at the first by name alone."""
    path = _circle(student, study)
    if path and student == min(path):
        told = " -> ".join(path)
        raise UserError(f"config: students.{student}.teacher: circular ({told}); let one of them learn from labels")


def _circle(student: str, study) -> list[str] | None:
    """Return a chain of teachers from a student back to itself, or None."""
    chains, seen = [[student]], set()
    while chains:
        chain = chains.pop(0)
        for teacher in _teachers_of(chain[-1], study):
            if teacher == student:
                return [*chain, teacher]
            if teacher not in seen:
                seen.add(teacher)
                chains.append([*chain, teacher])
    return None


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


def _of_evaluation(study) -> Iterator[tuple]:
    for key in ("scores", "metrics", "selective_accuracies_percent", "coverages_percent"):
        yield _unique, f"evaluation.{key}", getattr(study.evaluation, key)
    yield _passes, study.evaluation
    yield from _all_known("evaluation.resampled_splits", study.evaluation.resampled_splits, _splits(study), "a split")


def _passes(evaluation) -> None:
    if "mc-dropout" in evaluation.scores and evaluation.mc_dropout_passes == 0:
        raise UserError("config: evaluation.mc_dropout_passes: 0; the score mc-dropout needs passes, such as 20")


def _arms(study) -> Iterator[tuple[str, str]]:
    """Yield each place where the config names arms, with the arm."""
    for key, text in study.studies.items():
        yield f"studies.{key}.reference", text.reference
        yield from ((f"studies.{key}.arms", arm) for arm in text.arms)
    for key, hypothesis in study.hypotheses.items():
        yield f"hypotheses.{key}.better", hypothesis.better
        yield f"hypotheses.{key}.than", hypothesis.than
    for key, figure in study.figures.items():
        yield from ((f"figures.{key}.arms", arm) for arm in getattr(figure, "arms", []))
        for enhancer in getattr(figure, "enhancers", []):
            yield f"figures.{key}.enhancers", f"{figure.model}/{enhancer}"


def _of_models_named(study) -> Iterator[tuple]:
    for place, arm in _arms(study):
        yield _model_of_arm, place, arm, study


def _of_claims(study) -> Iterator[tuple]:
    for place, arm in _arms(study):
        yield _arm, place, arm, study
    for key, text in study.studies.items():
        yield _contender, f"studies.{key}.reference", text.reference, study
        yield _unique, f"studies.{key}.arms", text.arms
        yield _another, f"studies.{key}.arms", text.reference, text.arms, "the study's reference"
    for key, hypothesis in study.hypotheses.items():
        place = f"hypotheses.{key}"
        yield _known, f"{place}.study", hypothesis.study, study.studies, "a study"
        yield _another, f"{place}.than", hypothesis.than, [hypothesis.better], "what is to be better"
        yield _contender, f"{place}.better", hypothesis.better, study
        yield _comparison, place, hypothesis, study
    for i, comparison in enumerate(study.comparisons):
        yield _comparison, f"comparisons.{i}", comparison, study
    for key, figure in study.figures.items():
        yield from _of_figure(f"figures.{key}", figure, study)


def _another(place: str, arm: str, others: list[str], what: str) -> None:
    if arm in others:
        raise UserError(f"config: {place}: '{arm}' is {what} too; name another arm, or remove it")


def _of_figure(place: str, figure, study) -> Iterator[tuple]:
    yield _known, f"{place}.study", figure.study, study.studies, "a study"
    yield _known, f"{place}.dataset", figure.dataset, study.datasets, "a data set"
    match figure.kind:
        case "mask-gallery":
            yield _known, f"{place}.segmenter", figure.segmenter, study.segmenters, "a segmenter"
        case "mixed-labels":
            yield from _all_known(f"{place}.models", figure.models, study.augmented, "one of augmented")
        case "object-size":
            yield _sized, place, figure, study
        case "persuasion-matrix":
            yield _persuading, place, figure, study
        case "enhancement-examples":
            yield _a_seed, f"{place}.seed", figure.seed, study
            yield _shown, f"{place}.enhancers", figure.enhancers, study


def _shown(place: str, enhancers: list[str], study) -> None:
    for enhancer in enhancers:
        if enhancer in study.enhancers and study.enhancers[enhancer].method == "clean-logistic":
            raise UserError(f"config: {place}: '{enhancer}' changes no image; remove it")


def _sized(place: str, figure, study) -> None:
    if figure.dataset in study.datasets and study.datasets[figure.dataset].mask_truth == "none":
        raise UserError(f"config: {place}: sizes of objects need datasets.{figure.dataset}.mask_truth; set it")


def _persuading(place: str, figure, study) -> None:
    _known(f"{place}.group", figure.group, study.groups, "a group")
    arguing = [key for key, protocol in study.protocols.items() if protocol.method in ARGUED]
    spoken = [key for key in study.groups[figure.group].protocols if key in arguing]
    _known(f"{place}.protocol", figure.protocol, spoken, "a protocol of the group that argues")


def _speaking(group: str, protocol: str, study) -> None:
    if protocol in study.protocols:
        for speaker in study.speakers(group, protocol):
            _known(f"protocols.{protocol}", speaker, study.groups[group].members, f"a member of '{group}'")


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
    _model_of_arm(place, arm, study)
    name, _, variant = arm.partition("/")
    if variant or name in study.groups:
        choices = [f"{name}/{key}" for key in study.variants(name) if key != "clean"]
        _known(place, arm, choices, "an arm")


def _model_of_arm(place: str, arm: str, study) -> None:
    _known(place, arm.partition("/")[0], [*study.models, *study.groups], "a model or a group")


def _contender(place: str, arm: str, study) -> None:
    if arm in study.bounds():
        raise UserError(f"config: {place}: '{arm}' reads the true labels, so it is a bound, no contender; name another")


def _all_known(place: str, names: list[str], known, kind: str) -> Iterator[tuple]:
    yield _unique, place, names
    for name in names:
        yield _known, place, name, known, kind


def _known(place: str, name: str, known, kind: str) -> None:
    if name not in known:
        raise UserError(f"config: {place}: {not_one_of(name, known, kind)}")


def _unique(place: str, values: list) -> None:
    for value in values:
        if values.count(value) > 1:
            raise UserError(f"config: {place}: {value} is given twice; remove one")

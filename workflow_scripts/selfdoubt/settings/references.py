"""Names in the config that must point at something: checked after the types, before any job."""

from collections.abc import Iterator
from pathlib import Path

from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings import published
from selfdoubt.settings.analysis import SCORES
from selfdoubt.settings.bases import ByMasks
from selfdoubt.settings.bounds import BEST, ORACLE
from selfdoubt.settings.choices import a_replicate, all_known, known_name, unique
from selfdoubt.settings.claims import of_claims, of_models_named, splits
from selfdoubt.settings.data import BUILT_IN, has_masks


def check_references(study) -> None:
    """Raise UserError, a line a fault, about names that point nowhere, in a circle or at the wrong kind of thing.

    study: a Study whose types are right already. While models, groups and what belongs to them are at fault, of
    studies, hypotheses and figures the models alone are looked at: the rest may follow from those faults.
    """
    found = _faults(_of_entries(study))
    found += _faults(of_models_named(study) if found else of_claims(study))
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
    yield unique, "replicates", study.replicates
    yield _one_name_space, study
    yield from _of_datasets(study)
    for key, network in study.networks.items():
        yield _network, f"networks.{key}", network
    yield from _of_models(study)
    yield from _of_segmenters(study)
    for key, enhancer in study.enhancers.items():
        yield from all_known(f"enhancers.{key}.models", enhancer.models, study.models, "a model")
    for key, group in study.groups.items():
        yield from all_known(f"groups.{key}.members", group.members, study.models, "a model")
        yield from all_known(f"groups.{key}.protocols", group.protocols, study.protocols, "a protocol")
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
        yield _stored, key, dataset, study
        yield _masked, place, dataset, study
        yield from all_known(f"{place}.ood", dataset.ood, study.ood_sets, "one of ood_sets")
        if corruptions := dataset.corruptions:
            place = f"{place}.corruptions"
            yield unique, f"{place}.severities", corruptions.severities
            if corruptions.source == "built-in":
                yield from all_known(f"{place}.names", corruptions.names, BUILT_IN, "a built-in corruption")
                yield _counted, place, corruptions
            else:
                yield unique, f"{place}.names", corruptions.names


def _stored(key: str, dataset, study) -> None:
    place = f"datasets.{key}"
    if dataset.source.startswith("sklearn:"):
        raise UserError(f"config: {place}.source: {dataset.source} is for ood_sets; it has no splits")
    if dataset.storage != "files":
        return
    if dataset.source.partition(":")[0] not in ("folder", "imagenet"):
        raise UserError(f"config: {place}.storage: only folders and imagenet have files; use arrays")
    needing = [f"the segmenter '{name}'" for name in study.segmenters]
    needing += [f"the given masks of '{name}'" for name in _mixing_given(study)]
    figures = study.figures.items()
    needing += [f"the figure '{name}'" for name, f in figures if f.kind == "mixed-labels" and f.dataset == key]
    if needing:
        remedy = "use arrays, or set to null what needs them"
        raise UserError(f"config: {place}.storage: files, and {needing[0]} needs images in memory; {remedy}")


def _masked(place: str, dataset, study) -> None:
    """Raise UserError if masks are to be those of a data set that comes without any."""
    wanted = [f"{place}.mask_truth"] if dataset.mask_truth == "given" else []
    wanted += [f"augmented.{name}.masks" for name in _mixing_given(study)]
    if wanted and not has_masks(dataset.source):
        raise UserError(f"config: {wanted[0]}: given, but {dataset.source} comes without masks; remove it")


def _mixing_given(study) -> list[str]:
    """Return the models that mix by the masks of the data set."""
    given = {name: model for name, model in study.augmented.items() if model.masks == "given"}
    return [name for name, m in given.items() if isinstance(m.mixing, ByMasks) and m.segmenter is None]


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
            yield known_name, f"{section}.{key}.network", model.network, study.networks, "a network"
            yield known_name, f"{section}.{key}.recipe", model.recipe, study.recipes, "a recipe"
    for key in dict.fromkeys(getattr(model, "recipe", None) for model in study.models.values()):
        if key in study.recipes:
            yield _cropped, f"recipes.{key}", study.recipes[key], study
    for key, student in study.students.items():
        yield from all_known(f"students.{key}.teacher", student.teacher, study.models, "a model")
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
            known_name(f"{place}.segmenter", model.segmenter, study.segmenters, "a segmenter")
    elif sources:
        raise UserError(f"config: {place}.{sources[0]}: '{model.mixing.method}' uses no masks; remove it")


def _of_segmenters(study) -> Iterator[tuple]:
    for key, segmenter in study.segmenters.items():
        yield known_name, f"segmenters.{key}.teacher", segmenter.teacher, study.models, "a model"
        yield a_replicate, f"segmenters.{key}.teacher_replicate", segmenter.teacher_replicate, study
        yield _segmenter, key, segmenter, study


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
    """Return a model, its teachers and the one behind its masks, theirs and so on."""
    above = [name]
    for each in above:  # which grows
        teachers = _teachers_of(each, study) + _teacher_of_masks(each, study)
        above += [teacher for teacher in teachers if teacher not in above]
    return above


def _teachers_of(name: str, study) -> list[str]:
    return study.students[name].teacher if name in study.students else []


def _teacher_of_masks(name: str, study) -> list[str]:
    """Return the teacher of the segmenter by whose masks a model mixes, if there is one."""
    segmenter = study.segmenters.get(getattr(study.augmented.get(name), "segmenter", None))
    return [segmenter.teacher] if segmenter else []


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
    taken = {"clean": "means unchanged images", ORACLE: "is a bound of every group", BEST: "is a bound of every group"}
    for section in ("enhancers", "protocols"):
        for name in taken.keys() & getattr(study, section).keys():
            raise UserError(f"config: {section}.{name}: '{name}' {taken[name]}; choose another name")


def _of_evaluation(study) -> Iterator[tuple]:
    for key in ("scores", "metrics", "selective_accuracies_percent", "coverages_percent"):
        yield unique, f"evaluation.{key}", getattr(study.evaluation, key)
    yield _passes, study.evaluation
    yield from all_known("evaluation.resampled_splits", study.evaluation.resampled_splits, splits(study), "a split")


def _passes(evaluation) -> None:
    needing = [score for score in evaluation.scores if SCORES[score].needs_dropout_passes]
    if needing and evaluation.mc_dropout_passes == 0:
        raise UserError(f"config: evaluation.mc_dropout_passes: 0; the score {needing[0]} needs passes, such as 20")


def _speaking(group: str, protocol: str, study) -> None:
    if protocol in study.protocols:
        for speaker in study.speakers(group, protocol):
            known_name(f"protocols.{protocol}", speaker, study.groups[group].members, f"a member of '{group}'")

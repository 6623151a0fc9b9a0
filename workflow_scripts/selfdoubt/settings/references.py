"""Checks across the config, after those of types and before any job: that names exist and settings fit together."""

from collections.abc import Iterator
from pathlib import Path

from selfdoubt.runtime.errors import UserError, together
from selfdoubt.settings import catalog
from selfdoubt.settings.analysis import SCORES
from selfdoubt.settings.bases import ByMasks
from selfdoubt.settings.choices import check_all_known, check_known, check_replicate, check_unique
from selfdoubt.settings.claims import check_arms_exist, check_claims, splits
from selfdoubt.settings.data import BUILT_IN
from selfdoubt.settings.source_files import Folders
from selfdoubt.settings.upper_bounds import BEST, ORACLE


def check_references(study) -> None:
    """Raise UserError, a line a fault, if names do not exist or are circular, or if settings do not fit together.

    study: a Study, whose types are checked. If models, groups or what they use have faults, only the model names of
    studies, hypotheses and figures are checked, since other faults there may follow from those.
    """
    found = _faults(_check_entries(study))
    found += _faults(check_arms_exist(study) if found else check_claims(study))
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
    yield _check_names_differ, study
    yield from _check_datasets(study)
    for key, network in study.networks.items():
        yield _check_network, f"networks.{key}", network
    yield from _check_models(study)
    yield from _check_segmenters(study)
    for key, enhancer in study.enhancers.items():
        yield from check_all_known(f"enhancers.{key}.models", enhancer.models, study.models, "a model")
    for key, group in study.groups.items():
        yield from check_all_known(f"groups.{key}.members", group.members, study.models, "a model")
        yield from check_all_known(f"groups.{key}.protocols", group.protocols, study.protocols, "a protocol")
        for name in group.protocols:
            yield _check_speakers, key, name, study
    yield from _check_evaluation(study)


def check_files(study, resources: Path) -> None:
    """Raise UserError if a file of weights or of images is missing that cannot be fetched."""
    _check_weights(study)
    folders = Folders(embedded=resources, fetched=resources)  # what is fetched is not looked for
    for section in ("datasets", "ood_sets"):
        for key, entry in getattr(study, section).items():
            _check_there(f"{section}.{key}.source", catalog.files_of, entry.source, folders)
    for key, dataset in study.datasets.items():
        corruptions = dataset.corruptions
        if corruptions and corruptions.source != "built-in":
            for name in corruptions.names:
                _check_there(f"datasets.{key}.corruptions", catalog.shifted_files, corruptions.source, name)
        for name, source in dataset.shifted.items():
            _check_there(f"datasets.{key}.shifted.{name}", catalog.shifted_files, source)


def _check_there(place: str, look, *where) -> None:
    try:
        look(*where)
    except UserError as fault:
        raise UserError(f"config: {place}: {fault}") from None


def _check_datasets(study) -> Iterator[tuple]:
    for key, dataset in study.datasets.items():
        place = f"datasets.{key}"
        yield _check_storage, key, dataset, study
        yield _check_masks, place, dataset, study
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
    needing += [f"the given masks of '{name}'" for name in _models_with_given_masks(study)]
    figures = study.figures.items()
    needing += [f"the figure '{name}'" for name, f in figures if "mixed_labels" in f.reads and f.dataset == key]
    if needing:
        remedy = "use arrays, or set what needs them to null"
        raise UserError(f"config: {place}.storage: files, but {needing[0]} needs images in memory; {remedy}")


def _check_masks(place: str, dataset, study) -> None:
    """Raise UserError if the config uses masks of a data set that has none."""
    wanted = [f"{place}.mask_truth"] if dataset.mask_truth == "given" else []
    wanted += [f"augmented.{name}.masks" for name in _models_with_given_masks(study)]
    if wanted and not catalog.has_masks(dataset.source):
        raise UserError(f"config: {wanted[0]}: given, but {dataset.source} has no masks; remove it")


def _models_with_given_masks(study) -> list[str]:
    """Return the models that mix by the masks of the data set."""
    given = {name: model for name, model in study.augmented.items() if model.masks == "given"}
    return [name for name, m in given.items() if isinstance(m.mixing, ByMasks) and m.segmenter is None]


def _check_counted(place: str, corruptions) -> None:
    if corruptions.n_images is None:
        raise UserError(f"config: {place}.n_images: missing; add how many test images to corrupt")


def _check_network(place: str, network) -> None:
    if getattr(network, "weights", None) and network.pretrained:
        raise UserError(f"config: {place}.pretrained: true, but weights are read from a file; remove one of the two")


def _check_weights(study) -> None:
    for name, model in study.models.items():
        if (path := study.weights(name)) and not Path(path).is_file():
            place = f"pretrained.{name}" if name in study.pretrained else f"networks.{model.network}"
            raise UserError(f"config: {place}.weights: {path} is missing; put the file there, or correct the path")


def _check_models(study) -> Iterator[tuple]:
    yield _check_any_model, study
    for section in ("teachers", "baselines", "students", "augmented"):
        for key, model in getattr(study, section).items():
            yield check_known, f"{section}.{key}.network", model.network, study.networks, "a network"
            yield check_known, f"{section}.{key}.recipe", model.recipe, study.recipes, "a recipe"
    for key in dict.fromkeys(getattr(model, "recipe", None) for model in study.models.values()):
        if key in study.recipes:
            yield _check_crop, f"recipes.{key}", study.recipes[key], study
    for key, student in study.students.items():
        yield from check_all_known(f"students.{key}.teacher", student.teacher, study.models, "a model")
        yield _check_no_circle, key, study
        yield _check_whole_batches, key, student, study
    for key, model in study.augmented.items():
        yield _check_mask_source, f"augmented.{key}", model, study


def _check_any_model(study) -> None:
    if not study.models:
        raise UserError("config: baselines: the study has no model; add one, or a teacher")


def _check_crop(place: str, recipe, study) -> None:
    if recipe.crop is None:
        return
    if recipe.shift_px:
        raise UserError(
            f"config: {place}.shift_px: {recipe.shift_px}, but crop replaces it; set it to 0, or crop to null"
        )
    for key, dataset in study.datasets.items():
        if dataset.storage == "arrays":
            here = f"those of '{key}' are arrays"
            raise UserError(f"config: {place}.crop: needs images that stay in files, but {here}; use shift_px")


def _check_whole_batches(key: str, student, study) -> None:
    recipe = study.recipes.get(student.recipe)
    if recipe and recipe.gpu > 1 and student.compares_images:
        place, why = f"recipes.{student.recipe}.gpu", f"students.{key} compares the images of a whole batch"
        raise UserError(f"config: {place}: {recipe.gpu}, but {why}; give it a recipe with gpu: 1")


def _check_mask_source(place: str, model, study) -> None:
    sources = [key for key in ("segmenter", "masks") if getattr(model, key) is not None]
    if isinstance(model.mixing, ByMasks):
        if not sources:
            remedy = "add 'segmenter: NAME', or 'masks: given' for those of the data set"
            raise UserError(f"config: {place}.segmenter: mixing by masks needs one; {remedy}")
        if len(sources) > 1:
            raise UserError(f"config: {place}.masks: given, and a segmenter is named; remove one of the two")
        if model.segmenter is not None:
            check_known(f"{place}.segmenter", model.segmenter, study.segmenters, "a segmenter")
    elif sources:
        raise UserError(f"config: {place}.{sources[0]}: '{model.mixing.method}' uses no masks; remove it")


def _check_segmenters(study) -> Iterator[tuple]:
    for key, segmenter in study.segmenters.items():
        yield check_known, f"segmenters.{key}.teacher", segmenter.teacher, study.models, "a model"
        yield check_replicate, f"segmenters.{key}.teacher_replicate", segmenter.teacher_replicate, study
        yield _check_segmenter, key, segmenter, study


def _check_segmenter(key: str, segmenter, study) -> None:
    place = f"segmenters.{key}"
    if segmenter.background_below >= segmenter.foreground_above:
        raise UserError(f"config: {place}.background_below: not less than foreground_above; lower it")
    n, depth = len(segmenter.decoder_channels), segmenter.encoder_depth
    if n != depth:
        raise UserError(f"config: {place}.decoder_channels: {n} entries, encoder_depth is {depth}; give as many")
    mixed = [name for name, m in study.augmented.items() if m.segmenter == key]
    above = _teachers_above(segmenter.teacher, study)
    if circle := [name for name in mixed if name in above]:
        raise UserError(f"config: {place}.teacher: circular: '{circle[0]}' learns from the masks of '{key}'")


def _teachers_above(name: str, study) -> list[str]:
    """Return a model with all that it learns from: its teachers, the teacher of its masks, and theirs in turn."""
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


def _check_no_circle(student: str, study) -> None:
    """Raise UserError if a student learns from itself through others; once a circle, at its first student by name."""
    path = _circle(student, study)
    if path and student == min(path):
        circle = " -> ".join(path)
        raise UserError(f"config: students.{student}.teacher: circular ({circle}); let one of them learn from labels")


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


def _check_names_differ(study) -> None:
    seen = {}
    for section in ("teachers", "baselines", "students", "augmented", "pretrained", "groups"):
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
    for key in ("scores", "metrics", "selective_accuracies_percent", "coverages_percent"):
        yield check_unique, f"evaluation.{key}", getattr(study.evaluation, key)
    yield _check_passes, study.evaluation
    yield from check_all_known(
        "evaluation.resampled_splits", study.evaluation.resampled_splits, splits(study), "a split"
    )


def _check_passes(evaluation) -> None:
    needing = [score for score in evaluation.scores if SCORES[score].needs_dropout_passes]
    if needing and evaluation.mc_dropout_passes == 0:
        raise UserError(f"config: evaluation.mc_dropout_passes: 0; the score {needing[0]} needs passes, such as 20")


def _check_speakers(group: str, protocol: str, study) -> None:
    if protocol in study.protocols:
        for speaker in study.speakers(group, protocol):
            check_known(f"protocols.{protocol}", speaker, study.groups[group].members, f"a member of '{group}'")

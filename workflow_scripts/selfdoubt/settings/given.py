"""Checks of masks and of labels of several people that come with images: that the source may have them."""

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog
from selfdoubt.settings.combinations import models_with_given_masks, models_with_true_masks, section_of
from selfdoubt.settings.predictions import GIVEN


def check_masks(place: str, dataset, study) -> None:
    """Raise UserError if the config uses masks of a data set that has none."""
    wanted = [f"{place}.mask_truth"] if dataset.mask_truth == "given" else []
    wanted += [f"{section_of(name, study)}.{name}.masks" for name in models_with_given_masks(study)]
    if wanted and not catalog.has_masks(dataset.source):
        raise UserError(f"config: {wanted[0]}: given, but {dataset.source} has no masks; remove it")
    for name in models_with_true_masks(study) if dataset.mask_truth == "none" else ():
        why = f"the true masks of '{place.removeprefix('datasets.')}' are not known"
        raise UserError(
            f"config: augmented.{name}.masks: truth, but {why}; add a segmenter, whose masks are taken there"
        )
    for name, source in dataset.shifted.items():
        if catalog.is_of_test(source) and not catalog.has_masks(dataset.source):
            raise UserError(f"config: {place}.shifted.{name}: {source} needs masks, and {dataset.source} has none")


def check_labels_of_people(key: str, dataset, study) -> None:
    """Raise UserError if the config uses labels of several people of a data set whose images come without."""
    wanted = [f"datasets.{key}.soft_labels: given"] if dataset.soft_labels == GIVEN else []
    for section in ("teachers", "baselines", "robust"):
        models = getattr(study, section).items()
        wanted += [f"{section}.{name}.labels: soft" for name, model in models if model.labels == "soft"]
    if wanted and not catalog.has_label_probabilities(dataset.source):
        what = f"no label_probabilities come with the images of {key} ({dataset.source})"
        raise UserError(f"config: {wanted[0]}, but {what}; add them (docs/datasets.md), or remove it")

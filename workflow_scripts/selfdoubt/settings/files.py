"""Files that the config names, and networks of timm: they must be there before a job needs them."""

from pathlib import Path

from selfdoubt.runtime.errors import UserError
from selfdoubt.settings import catalog, timm_names
from selfdoubt.settings.predictions import GIVEN
from selfdoubt.settings.source_files import Folders


def check_files(study, resources: Path) -> None:
    """Raise UserError if a file of weights or images is missing and cannot be fetched, or if timm lacks a network."""
    _check_timm_names(study)
    _check_weights(study)
    _check_predictions(study)
    _check_soft_labels(study)
    folders = Folders(embedded=resources, fetched=resources)  # what is fetched is not looked for
    for section in ("datasets", "ood_sets"):
        for key, entry in getattr(study, section).items():
            if entry.source == "predictions":
                continue
            _check_there(f"{section}.{key}.source", catalog.files_of, entry.source, folders)
    for key, dataset in study.datasets.items():
        corruptions = dataset.corruptions
        if corruptions and corruptions.source != "built-in":
            for name in corruptions.names:
                _check_there(f"datasets.{key}.corruptions", catalog.shifted_files, corruptions.source, name)
        for name, source in dataset.shifted.items():
            _check_there(f"datasets.{key}.shifted.{name}", catalog.shifted_files, source)


def _check_predictions(study) -> None:
    for name, model in study.predictions.items():
        for dataset in study.datasets:
            files, seen = model.files(dataset), {}
            for split, path in files.items():
                if (first := seen.setdefault(Path(path).resolve(), split)) != split:
                    place = f"predictions.{name}.{split.replace('ood-', 'ood.', 1)}"
                    raise UserError(f"config: {place}: {path} is the file of {first} too; give each its own images")
            for split, path in files.items():
                if not Path(path).is_file():
                    place = f"predictions.{name}.{split.replace('ood-', 'ood.', 1)}"
                    raise UserError(f"config: {place}: {path} is missing; put the file there, or correct the path")


def _check_soft_labels(study) -> None:
    for key, dataset in study.datasets.items():
        if dataset.soft_labels not in (None, GIVEN) and not Path(dataset.soft_labels).is_file():
            place = f"config: datasets.{key}.soft_labels"
            raise UserError(f"{place}: {dataset.soft_labels} is missing; put the file there, or correct the path")


def _check_there(place: str, look, *where) -> None:
    try:
        look(*where)
    except UserError as fault:
        raise UserError(f"config: {place}: {fault}") from None


def _check_weights(study) -> None:
    for name, model in study.models.items():
        if (path := study.weights(name)) and not Path(path).is_file():
            place = f"pretrained.{name}" if name in study.pretrained else f"networks.{model.network}"
            raise UserError(f"config: {place}.weights: {path} is missing; put the file there, or correct the path")
    for name, segmenter in study.segmenters.items():
        if (path := segmenter.weights_file) and not Path(path).is_file():
            place = f"segmenters.{name}.encoder_weights"
            raise UserError(f"config: {place}: {path} is missing; put the file there, or correct the path")


def _check_timm_names(study) -> None:
    named = {f"networks.{key}.name": each.name for key, each in study.networks.items() if each.family == "timm"}
    named |= {f"pretrained.{key}.name": each.name for key, each in study.pretrained.items() if each.family == "timm"}
    encoders = {f"segmenters.{key}.encoder": each.encoder for key, each in study.segmenters.items()}
    named |= {place: name.removeprefix("tu-") for place, name in encoders.items() if name.startswith("tu-")}
    for place, name in named.items():
        if fault := timm_names.fault_of(name):
            raise UserError(f"config: {place}: {fault}")

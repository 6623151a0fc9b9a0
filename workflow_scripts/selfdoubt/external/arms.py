"""Predictions made elsewhere, as a table of this pipeline, so that their model is evaluated like all others."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from selfdoubt.data import datasets
from selfdoubt.data.splitting import stratified
from selfdoubt.evaluation.prediction_tables import write_predictions
from selfdoubt.evaluation.predictions import Predictions, id_difference, order_of_ids
from selfdoubt.evaluation.scoring import is_module
from selfdoubt.evaluation.splits import is_ood
from selfdoubt.external import rounding
from selfdoubt.external.files import read
from selfdoubt.runtime import randomness, table_files
from selfdoubt.runtime.errors import UserError

_LARGEST_LABEL = np.iinfo(np.int16).max
_IDS = np.iinfo(np.int32)


def import_predictions(files: dict[str, Path], splits: list[Path], output: Path, settings, metadata: dict) -> None:
    """Read the file of each split, check it, and write the table of predictions.

    splits: files of the data set, whose images the predictions must be of, by ids or, without these, by place and
    label; none where it has no images: then val is drawn from test, if the settings want it and no file has it.
    settings: numbers ("logits", "probabilities" or None) and, without images, val_fraction and split_seed.
    Raises UserError that names the file.
    """
    probabilities = None if settings.numbers is None else settings.numbers == "probabilities"
    found = {split: _read(path, split, probabilities) for split, path in files.items()}
    for split, path in files.items():
        if text := rounding.note(found[split]):
            print(f"{path}: {text}", flush=True)
    widths = {split: None if of.logits is None else of.logits.shape[1] for split, of in found.items()}
    for split, width in widths.items():
        if width != widths["test"]:
            what = "no logits" if width is None else f"{width} classes"
            raise UserError(f"{files[split]}: has {what}, unlike {files['test']}; give predictions of one model")
    if splits:
        known = datasets.read_all(splits)
        found = {split: _of_images(of, known[split], files[split]) for split, of in found.items()}
    elif "val" not in found and settings.val_fraction:
        found |= _halves(found["test"], settings)
    places = found["test"].decimal_places
    metadata = metadata | ({} if places is None else {"decimal_places": places})
    ordered = {split: found[split] for split in ("val", "test", *found) if split in found}
    _write(output, ordered, metadata | {"files": {split: _sha256(path) for split, path in files.items()}})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, split: str, probabilities: bool | None) -> Predictions:
    """Return the predictions of a file, with ids, and confidences by the scores that they stand for."""
    found = read(path, probabilities, not is_ood(split))
    if found.labels.max() > _LARGEST_LABEL:
        raise UserError(f"{path}: has label {found.labels.max()}; a table holds labels up to {_LARGEST_LABEL}")
    if found.logits is None:
        found = replace(found, signals=_by_score(path, found.signals))
    ids = np.arange(len(found.labels)) if found.image_ids is None else found.image_ids
    if ids.dtype.kind != "i" or ids.min() < _IDS.min or ids.max() > _IDS.max:
        texts = ids.astype(str)
        order = order_of_ids(texts, str(path))
        return replace(found, image_ids=texts) if order is None else replace(found, image_ids=texts).rows(order)
    return found


def _by_score(path: Path, signals: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return confidences by score; one that has no score's name counts as the largest probability, msp."""
    others = [name for name in signals if not is_module(name)]
    if len(others) > 1 or (others and "msp" in signals):
        found = " and ".join(f"'{name}'" for name in (others if len(others) > 1 else ["msp", *others]))
        remedy = "name each column after a score (energy, entropy, ... of docs/metrics.md), or remove it"
        raise UserError(
            f"{path}: which scores are {found}? one is taken for msp; {remedy}; evaluate_predictions.py takes any names"
        )
    return {name if is_module(name) else "msp": values for name, values in signals.items()}


def _of_images(found: Predictions, split, path: Path) -> Predictions:
    """Return the predictions in the order of a data set's images; raises UserError if they are of others."""
    images = Predictions(None, split.labels, image_ids=split.image_ids)
    if found.image_ids is not None:
        order = order_of_ids(images.image_ids, str(path))
        by_id = images if order is None else images.rows(order)
        if difference := id_difference(by_id, found):
            raise UserError(f"{path}: is not of the data set's images: {difference}")
        found = found.rows(np.searchsorted(found.image_ids, images.image_ids))
    if len(found.labels) != len(images.labels):
        raise UserError(f"{path}: has {len(found.labels):,} rows, and the data set {len(images.labels):,} images")
    if (other := np.flatnonzero(found.labels != images.labels)).size:
        row, known = other[0], images.labels[other[0]]
        what = f"image {split.image_ids[row]} has label {found.labels[row]}, and {known} in the data set"
        raise UserError(f"{path}: {what}; give the rows the ids or the order of its images")
    return replace(found, image_ids=split.image_ids, ood_classes=split.ood_classes)


def _halves(test: Predictions, settings) -> dict[str, Predictions]:
    """Draw val from the rows of test, class by class: the same of every model of the same images."""
    rows = np.arange(len(test.labels))
    ids = rows.astype(np.int32) if test.image_ids is None else test.image_ids
    whole = replace(test, image_ids=ids)
    draws = randomness.generator(settings.split_seed, "val")
    val = stratified(test.labels, rows, settings.val_fraction, draws)
    return {"val": whole.rows(val), "test": whole.rows(np.setdiff1d(rows, val))}


def _write(output: Path, found: dict[str, Predictions], metadata: dict) -> None:
    splits = {
        split: of if of.image_ids is not None else replace(of, image_ids=np.arange(len(of.labels), dtype=np.int32))
        for split, of in found.items()
    }
    if found["test"].logits is None:
        names = ("predicted", *found["test"].signals)
        columns = {split: {**of.signals, "predicted": of.predicted} for split, of in found.items()}
        for split, of in columns.items():
            if missing := [name for name in names if name not in of]:
                raise UserError(f"{split}: has no confidence '{missing[0]}', which test has; add it")
        signals = {name: {split: of[name] for split, of in columns.items()} for name in names}
        write_predictions(output, splits, None, signals, metadata)
        return
    of_probabilities = table_files.LOG_PROBABILITIES if found["test"].of_probabilities else {}
    logits = {split: of.logits for split, of in found.items()}
    write_predictions(output, splits, logits, None, metadata | of_probabilities)

"""The numbers of models whose predictions are in files, and how they differ from those of a reference."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from selfdoubt.evaluation import comparisons
from selfdoubt.evaluation.bootstrap import percentile_interval
from selfdoubt.evaluation.comparisons import Estimates, Quantity, images_of
from selfdoubt.evaluation.metrics_table import evaluate
from selfdoubt.evaluation.predictions import Predictions, id_difference, predictions_by_split
from selfdoubt.evaluation.scoring import chosen_on_val, fit_scores, is_module
from selfdoubt.evaluation.softmax import NO_VAL
from selfdoubt.evaluation.splits import is_ood, mean_splits, mixed_splits, needed_splits
from selfdoubt.external import rounding
from selfdoubt.external.files import has_splits, read
from selfdoubt.external.guarantees import rows_of
from selfdoubt.external.models import File, Model
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.metrics import metric

_DIFFERENCE = ("difference", "difference_low", "difference_high", "p", "difference_reason")
Images = dict[str, Predictions]  # split -> labels and ids, without logits
_REMEDY = "write it as the pipeline does, or each split to a file of its own, without the column 'split'"


def evaluate_models(
    models: list[Model], settings: SimpleNamespace, warn: Callable[[str], None]
) -> tuple[list[dict], list[dict]]:
    """Return the rows of the metrics table of all models, with what was chosen on val for a row's score; and those of
    the table of guarantees.

    settings: the `evaluation` section of the config (of its guarantees the scores may be None), and splits (None: all),
    probabilities (as of `files.read`) and reference, the name of a model or None. With a reference, rows have the
    difference from it, its interval and p, paired by samples. warn: called with one line. A file is read once, and held
    while a model needs it. Raises UserError where a model has no number, or cannot be compared.
    """
    rows, guaranteed, images, estimates, held = [], [], {}, {}, {}
    for i, model in enumerate(models):
        wanted = {file for other in models[i:] for file in other.files.values()}
        held = {file: found for file, found in held.items() if file in wanted}
        found, estimates[model.name], further = _evaluate(model, held, images, settings, warn)
        rows += found
        guaranteed += further
    if settings.reference:
        _compare(rows, estimates, settings.reference)
    return rows, guaranteed


def _evaluate(
    model: Model, held: dict, images: dict[str, Images], settings: SimpleNamespace, warn: Callable[[str], None]
) -> tuple[list[dict], Estimates | None, list[dict]]:
    """Return the rows of one model, for comparisons its estimates, and its guarantees.

    Its images are added to those of the others.
    """
    predictions = _read(model, held, settings.probabilities, warn)
    compared = [split for split in predictions if split != "val" or is_wanted(split, settings.splits)]
    images[model.name] = {split: images_of(predictions[split]) for split in compared}
    _check_rows(images, settings.reference, warn)
    settings = SimpleNamespace(**vars(settings) | {"scores": _scores_of(model, predictions, settings.scores)})
    rows = _rows(model, predictions, settings)
    estimates = _estimate(rows, predictions, settings) if settings.reference else None
    return rows, estimates, rows_of(model.name, predictions, settings.scores, settings)


def _read(
    model: Model, held: dict[File, Predictions], probabilities: bool | None, warn: Callable[[str], None]
) -> dict[str, Predictions]:
    """Return the predictions of each split; held: those of files that were read before, and from now on these."""
    if has_splits(path := model.files["test"].path):
        found = predictions_by_split(table_files.read_table(path, remedy=_REMEDY), path)
        if all(split == "val" or is_ood(split) for split in found):
            raise UserError(f"{path}: has no split 'test'; it has {', '.join(found) or 'no rows'}")
        return found
    for file in model.files.values():
        if file not in held:
            held[file] = read(file.path, probabilities, file.labelled)
            if text := rounding.note(held[file]):
                warn(f"{file.path}: {text}")
    predictions = {split: held[file] for split, file in model.files.items()}
    known = _n_classes(predictions["test"])
    for split, file in model.files.items():
        if (found := _n_classes(predictions[split])) != known:
            test = model.files["test"].path
            raise UserError(f"{file.path}: has {found} and {test} {known}; give predictions of one model")
    return predictions


def _n_classes(sample: Predictions) -> str:
    return "no logits" if sample.logits is None else f"{sample.logits.shape[1]} classes"


def _scores_of(model: Model, predictions: Images, scores: list[str] | None) -> list[str]:
    """Return those of the scores that a model may have: without logits its own, else this project's."""
    sample = next(iter(predictions.values()))
    if sample.logits is not None:
        return [score for score in scores if is_module(score)]
    known = [score for score in sample.signals if score in scores]
    if not known:
        path, own = model.files["test"].path, ", ".join(sample.signals)
        raise UserError(f"{path}: has none of these scores; without logits it has {own}")
    return known


def _check_rows(images: dict[str, Images], reference: str | None, warn: Callable[[str], None]) -> None:
    """Warn where the last model's images are not those of an earlier one; raises UserError if they are compared."""
    *earlier, last = images
    found = (_difference(images, first, last) for first in earlier)
    if not (what := next(filter(None, found), None)):
        return
    if reference:
        raise UserError(f"{what}; models are compared on the same images, by their ids, or in the same order")
    warn(f"{what}; their numbers are of different images, or of another order")


def _difference(images: dict[str, Images], first: str, last: str) -> str | None:
    """Return how the images of two models differ on a split that both have."""
    for split in [split for split in images[first] if split in images[last]]:
        if what := id_difference(images[first][split], images[last][split]):
            return f"{split}: the images of {first} and {last} differ: {what}"
        one, other = images[first][split].labels, images[last][split].labels
        if len(one) != len(other):
            return f"{split}: {first} has {len(one):,} rows and {last} {len(other):,}"
        if (rows := np.flatnonzero(one != other)).size:
            ids, labels_of = images[first][split].image_ids, f"{one[rows[0]]} in {first} and {other[rows[0]]} in {last}"
            row = f"row {rows[0]} (counted from 0)" if ids is None else f"image_id {ids[rows[0]]}"
            return f"{split}: the label of {row} is {labels_of}"
    return None


def _splits(path: Path, predictions: Images, settings: SimpleNamespace) -> tuple[list[str], set[str]]:
    """Return the splits that are shown, and those from which their numbers are computed."""
    splits, means = settings.splits, mean_splits(predictions)
    known = [*predictions, *mixed_splits(predictions, settings.ood_mixed_percent), *means]
    for split in splits or []:
        if split not in known:
            raise UserError(f"--splits: '{split}' is not in {path}; it has {', '.join(known)}")
    shown = splits or known
    members = {member for split in shown for member in means.get(split, [split])}
    return shown, {each for split in members for each in needed_splits(split)}


def _rows(model: Model, predictions: dict[str, Predictions], settings: SimpleNamespace) -> list[dict]:
    """Return the rows of one model, of the splits that are shown; raises UserError where none has a number."""
    path = model.files["test"].path
    shown, needed = _splits(path, predictions, settings)
    fitted = fit_scores(predictions, settings.scores)
    resampled = [split for split in shown if is_wanted(split, settings.splits)] if settings.n_resamples else []
    if settings.reference:
        resampled = []  # `_estimate` has the intervals of a comparison
    rows = evaluate(
        {split: found for split, found in predictions.items() if split in needed},
        SimpleNamespace(**vars(settings) | {"resampled_splits": resampled}),
        {"dataset": "given", "name": model.name, "role": "given", "replicate": 0, "variant": "clean"},
        fitted,
    )
    rows = [row for row in rows if row["split"] in shown]
    if "val" not in predictions:
        for row in rows:
            row["reason"] = f"{NO_VAL}; give --val FILE" if row["reason"] == NO_VAL else row["reason"]
    reasons = [row["reason"] for row in rows if is_wanted(row["split"], settings.splits)]
    if all(reasons):
        raise UserError(f"{path}: has no number to show: {reasons[0] if reasons else 'no such metric of these splits'}")
    chosen = chosen_on_val(fitted)
    return [row | {"chosen_on_val": chosen.get(row["score"])} for row in rows]


def is_wanted(split: str, splits: list[str] | None) -> bool:
    """Return whether a split is one of `splits`; where none is named, all are but `val`."""
    return split in splits if splits else split != "val"


# ---- differences ----


def _estimate(rows: list[dict], predictions: dict[str, Predictions], settings: SimpleNamespace) -> Estimates:
    """Return the estimates of all rows that can be resampled, and put the intervals into the rows."""
    can = [row for row in rows if is_wanted(row["split"], settings.splits) and row["value"] is not None]
    can = [row for row in can if metric(row["metric"]).resampled]
    found = comparisons.estimate(predictions, [_quantity(row) for row in can], settings.n_resamples, settings)
    for row in can:
        row["low"], row["high"] = percentile_interval(found.of[_quantity(row)].resampled)
    return found


def _quantity(row: dict) -> Quantity:
    return row["metric"], row["score"], row["split"]


def _compare(rows: list[dict], estimates: dict[str, Estimates], reference: str) -> None:
    """Put into each row its difference from the reference, where both have a number, with interval and p."""
    values = {_quantity(row): row["value"] for row in rows if row["name"] == reference}
    for row in rows:
        quantity, own, other = _quantity(row), estimates[row["name"]], estimates[reference]
        row |= {"reference": reference, **dict.fromkeys(_DIFFERENCE)}
        if row["name"] == reference or row["value"] is None or values.get(quantity) is None:
            continue
        if _members(own, row) != _members(other, row):
            continue
        row["difference"] = row["value"] - values[quantity]
        if quantity in own.of:
            found = comparisons.compare([(own, other)], quantity).row()
            row |= {"difference_low": found["low"], "difference_high": found["high"], "p": found["p"]}
            row["difference_reason"] = found["reason"]


def _members(estimates: Estimates, row: dict) -> list[str] | None:
    """Return the splits that a row is a mean of, which may not be the same for every model."""
    return mean_splits(estimates.images).get(row["split"])

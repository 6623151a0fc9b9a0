"""Models whose predictions are in files: their names, their numbers, and how they differ from a model of reference."""

import difflib
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from selfdoubt.evaluation import comparisons
from selfdoubt.evaluation.evaluator import evaluate, mean_splits
from selfdoubt.evaluation.metrics import metric
from selfdoubt.evaluation.softmax import NO_VAL
from selfdoubt.evaluation.statistics import percentile_interval
from selfdoubt.evaluation.summaries import (
    Predictions,
    chosen_on_val,
    fit_scores,
    is_ood,
    needed_splits,
    predictions_by_split,
)
from selfdoubt.external.predictions import has_splits, read
from selfdoubt.runtime import schemas
from selfdoubt.runtime.errors import UserError

Labels = dict[str, np.ndarray]  # split -> (n,)


class File(NamedTuple):
    """A file of predictions, and whether its labels are the model's classes."""

    path: Path
    labelled: bool


class Model(NamedTuple):
    """A model's name, and its file on each split."""

    name: str
    files: dict[str, File]


# ---- files and names ----


def models_of(test: list[Path], val: list[Path] | None, ood: list[Path] | None) -> list[Model]:
    """Return the models; raises UserError where one is given twice, or another number of files on val or OOD."""
    places = [(path.stat().st_dev, path.stat().st_ino) if path.exists() else path for path in test]
    if twice := [path for i, path in enumerate(test) if places[i] in places[:i]]:
        raise UserError(f"{twice[0]}: the same file is given twice")
    files = {"test": [File(path, True) for path in test]}
    if val:
        files["val"] = [File(path, True) for path in _of_each("--val", val, len(test))]
    if ood:
        files["ood-given"] = [File(path, False) for path in _of_each("--ood", ood, len(test))]
    of_each = [dict(zip(files, found, strict=True)) for found in zip(*files.values(), strict=True)]
    return [Model(str(UserError(name)), found) for name, found in zip(short_names(test), of_each, strict=True)]


def _of_each(option: str, given: list[Path], n_models: int) -> list[Path]:
    if len(given) not in (1, n_models):
        wanted = "give one for each, in their order, or a single one"
        raise UserError(f"{option}: {len(given)} files for {n_models} FILEs; {wanted}")
    return given * (n_models // len(given))


def short_names(paths: list[Path]) -> list[str]:
    """Return the shortest part of each path by which they differ: stems, else what is not common to all paths.

    Of runs/a/seed-1/x.csv and runs/b/seed-1/x.csv these are a and b.
    """
    absolute = [path.absolute() for path in paths]
    for whole in ([path.parent / path.stem for path in absolute], absolute):
        if len({path.name for path in whole}) == len(whole):
            return [path.name for path in whole]
        if len(set(whole)) == len(whole):
            return ["/".join(parts) for parts in _differing([path.parts for path in whole])]
    return [str(path) for path in paths]


def _differing(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the paths without the parts that all have in common at their beginning, and at their end."""
    first = min(_n_common(paths), *(len(path) - 1 for path in paths))
    last = _n_common([path[:first:-1] for path in paths])  # of what leaves each at least one part
    return [path[first : len(path) - last] for path in paths]


def _n_common(paths: list[tuple[str, ...]]) -> int:
    """Return by how many parts all paths begin alike."""
    return sum(1 for _ in takewhile(lambda parts: len(set(parts)) == 1, zip(*paths, strict=False)))


def reference_among(models: list[Model], given: str) -> str:
    """Return the name of the model that is meant, by its name or file; raises UserError if it is none."""
    for model in models:
        if given in (model.name, str(model.files["test"].path)):
            return model.name
    names = [model.name for model in models]
    near = difflib.get_close_matches(given, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else "."
    raise UserError(f"--reference: '{given}' is no model{hint} Models: {', '.join(names)}")


# ---- numbers ----


def evaluate_models(models: list[Model], settings: SimpleNamespace, tell: Callable[[str], None]) -> list[dict]:
    """Return the rows of the metrics table of all models, with what was chosen on val for a row's score.

    settings: the `evaluation` section of the config, and splits (None: all), probabilities (as of
    `foreign_predictions.read`) and reference, the name of a model or None. Where there is one, rows have the difference
    from it, its interval and p, paired by samples. tell: is handed what a user should know. A file is read once, and
    held while a model needs it. Raises UserError where a model has no number, or cannot be compared.
    """
    rows, labels, answers, held = [], {}, {}, {}
    for i, model in enumerate(models):
        wanted = {file for other in models[i:] for file in other.files.values()}
        held = {file: found for file, found in held.items() if file in wanted}
        rows += _evaluate(model, held, labels, answers, settings, tell)
    if settings.reference:
        _compare(rows, answers, settings.reference)
    return rows


def _evaluate(model: Model, held: dict, labels: dict, answers: dict, settings: SimpleNamespace, tell) -> list[dict]:
    """Return the rows of one model, and note its labels and, for comparisons, its answers."""
    predictions = _read(model, held, settings.probabilities)
    compared = [split for split in predictions if split != "val" or is_asked(split, settings.splits)]
    labels[model.name] = {split: predictions[split].labels for split in compared}
    _check_rows(labels, settings.reference, tell)
    rows = _rows(model, predictions, settings)
    if settings.reference:
        answers[model.name] = _answer(rows, predictions, settings)
    return rows


_REMEDY = "write it as the pipeline does, or each split to a file of its own, without the column 'split'"


def _read(model: Model, held: dict[File, Predictions], probabilities: bool | None) -> dict[str, Predictions]:
    """Return the predictions of each split; held: those of files that were read before, and from now on these."""
    if has_splits(path := model.files["test"].path):
        found = predictions_by_split(schemas.read_table(path, remedy=_REMEDY))
        if all(split == "val" or is_ood(split) for split in found):
            raise UserError(f"{path}: has no split 'test'; it has {', '.join(found) or 'no rows'}")
        return found
    for file in model.files.values():
        if file not in held:
            held[file] = read(file.path, probabilities, file.labelled)
    predictions = {split: held[file] for split, file in model.files.items()}
    known = predictions["test"].logits.shape[1]
    for split, file in model.files.items():
        if (found := predictions[split].logits.shape[1]) != known:
            test = model.files["test"].path
            raise UserError(f"{file.path}: has {found} classes and {test} {known}; give predictions of one model")
    return predictions


def _check_rows(labels: dict[str, Labels], reference: str | None, tell: Callable[[str], None]) -> None:
    """Say where the last model's labels are not those of an earlier one; raises UserError if they are compared."""
    *earlier, last = labels
    found = (_difference(labels, first, last) for first in earlier)
    if not (what := next(filter(None, found), None)):
        return
    if reference:
        raise UserError(f"{what}; models are compared on the same rows in the same order")
    tell(f"{what}; their numbers are of different images, or of another order")


def _difference(labels: dict[str, Labels], first: str, last: str) -> str | None:
    """Return how the labels of two models differ on a split that both have."""
    for split in [split for split in labels[first] if split in labels[last]]:
        one, other = labels[first][split], labels[last][split]
        if len(one) != len(other):
            return f"{split}: {first} has {len(one):,} rows and {last} {len(other):,}"
        if (rows := np.flatnonzero(one != other)).size:
            row, labels_of = rows[0], f"{one[rows[0]]} in {first} and {other[rows[0]]} in {last}"
            return f"{split}: the label of row {row} (counted from 0) is {labels_of}"
    return None


def _rows(model: Model, predictions: dict[str, Predictions], settings: SimpleNamespace) -> list[dict]:
    path, means = model.files["test"].path, mean_splits(predictions)
    known = [*predictions, *means]
    for split in settings.splits or []:
        if split not in known:
            raise UserError(f"--splits: '{split}' is not in {path}; it has {', '.join(known)}")
    shown = settings.splits or known
    fitted = fit_scores(predictions, settings.scores)
    members = {member for split in shown for member in means.get(split, [split])}
    needed = {each for split in members for each in needed_splits(split)}
    wanted = {split: found for split, found in predictions.items() if split in needed}
    resampled = [split for split in shown if is_asked(split, settings.splits)] if settings.n_resamples else []
    of_evaluate = {"resampled_splits": [] if settings.reference else resampled}  # `_answer` has those of a comparison
    identity = {"dataset": "given", "name": model.name, "role": "given", "seed": 0, "variant": "clean"}
    own = SimpleNamespace(**vars(settings) | of_evaluate)
    found = [row for row in evaluate(wanted, own, identity, fitted) if row["split"] in shown]
    if "val" not in predictions:
        for row in found:
            row["reason"] = f"{NO_VAL}; give --val FILE" if row["reason"] == NO_VAL else row["reason"]
    reasons = [row["reason"] for row in found if is_asked(row["split"], settings.splits)]
    if all(reasons):
        raise UserError(f"{path}: has no number to show: {reasons[0] if reasons else 'no such metric of these splits'}")
    chosen = chosen_on_val(fitted)
    return [row | {"chosen_on_val": chosen.get(row["score"])} for row in found]


def is_asked(split: str, splits: list[str] | None) -> bool:
    """Return whether a split's numbers are asked for: of all but `val` where none was chosen."""
    return split in splits if splits else split != "val"


# ---- differences ----


def _answer(rows: list[dict], predictions: dict[str, Predictions], settings: SimpleNamespace) -> comparisons.Answers:
    """Return what a model is in all that can be resampled, and put the intervals into its rows."""
    can = [row for row in rows if is_asked(row["split"], settings.splits) and row["value"] is not None]
    can = [row for row in can if metric(row["metric"]).resampled]
    found = comparisons.answer(predictions, [_question(row) for row in can], settings.n_resamples, settings)
    for row in can:
        row["low"], row["high"] = percentile_interval(found.arms[_question(row)].resampled)
    return found


def _question(row: dict) -> comparisons.Question:
    return row["metric"], row["score"], row["split"]


def _compare(rows: list[dict], answers: dict[str, comparisons.Answers], reference: str) -> None:
    """Put into each row its difference from the reference, where both have a number, with interval and p."""
    values = {_question(row): row["value"] for row in rows if row["name"] == reference}
    for row in rows:
        question, own, other = _question(row), answers[row["name"]], answers[reference]
        row |= {"reference": reference, **dict.fromkeys(["difference", "difference_low", "difference_high", "p"])}
        if row["name"] == reference or row["value"] is None or values.get(question) is None:
            continue
        if _members(own, row) != _members(other, row):
            continue
        row["difference"] = row["value"] - values[question]
        if question in own.arms:
            found = comparisons.compare([(own, other)], question)
            row |= {"difference_low": found["low"], "difference_high": found["high"], "p": found["p"]}


def _members(answers: comparisons.Answers, row: dict) -> list[str] | None:
    """Return the splits that a row is a mean of, which may not be the same for every model."""
    return mean_splits(answers.labels).get(row["split"])

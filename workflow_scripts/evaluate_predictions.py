"""Evaluate predictions from any model: evaluate_predictions.py FILE ... [--val FILE ...] [--ood FILE ...]

FILE is Parquet, CSV or NPZ with a column label and logits: one list column "logits" (Parquet), columns logit_0,
logit_1, ... (Parquet, CSV), or arrays logits (n, C) and label (n,) (NPZ). Each FILE is a model on test, or a table of
predictions of the pipeline, which has all splits. The definitions are in docs/metrics.md.
"""

import argparse
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pandas as pd

from selfdoubt import foreign_predictions, schemas
from selfdoubt.errors import UserError
from selfdoubt.evaluation import evaluate
from selfdoubt.metrics import FAMILIES, PARAMETRISED
from selfdoubt.scores import SCORES
from selfdoubt.summaries import Predictions, chosen_on_val, fit_scores, predictions_by_split

LEAST_RESAMPLES = 100  # as in the config
MOST_BINS = 1_000_000  # of each class; more serve nobody and fill the memory


class File(NamedTuple):
    """A file of predictions, and whether its labels are the model's classes."""

    path: Path
    labelled: bool


class Model(NamedTuple):
    """A model's name, and its file on each split."""

    name: str
    files: dict[str, File]


def main():
    try:
        arguments = _parser().parse_args()
        models = _models(arguments)
        _check_output(arguments, models)
        rows, chosen = _evaluate_all(models, arguments)
        _tell_shared(arguments)
        if arguments.output:
            schemas.write_rows(arguments.output, rows, schemas.SCHEMAS["metrics"], {"chosen_on_val": chosen})
        if arguments.format == "json":
            print(json.dumps(rows, indent=1))
        elif arguments.format == "table":
            print(table(rows, chosen))
    except (UserError, OSError, MemoryError) as fault:
        _tell("out of memory" if isinstance(fault, MemoryError) else str(fault))
        sys.exit(2)


# ---- the call ----


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong; the usage is what --help is for."""

    def error(self, message: str):
        raise UserError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    several = {"nargs": "+", "type": Path, "metavar": "FILE"}
    parser.add_argument("files", help="predictions on test, a file a model", **several)
    of_val = "on val, where temperature and p are fitted: one for each FILE, in their order"
    parser.add_argument("--val", help=of_val, **several)
    of_ood = "on images of other classes, likewise; their classes, if any, as ood_class"
    parser.add_argument("--ood", help=of_ood, **several)
    parser.add_argument("--probabilities", action="store_true", help="the numbers are probabilities, not logits")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the metrics table (Parquet) here")
    parser.add_argument("--format", choices=["table", "json", "parquet"], default="table", help="what is printed")
    parser.add_argument("--scores", nargs="+", choices=list(SCORES), default=list(SCORES), metavar="SCORE")
    parser.add_argument("--bins", type=_bins, default=15, help="of the calibration errors (15)")
    resamples = f"for 95 %% bootstrap intervals, {LEAST_RESAMPLES} or more; 0: none"
    parser.add_argument("--resamples", type=_resamples, default=0, help=resamples)
    return parser


def _bins(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_BINS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to {MOST_BINS}")
    return int(text)


def _resamples(text: str) -> int:
    if not text.isdecimal() or 0 < int(text) < LEAST_RESAMPLES:
        raise argparse.ArgumentTypeError(f"'{text}' is neither 0 nor a whole number of {LEAST_RESAMPLES} or more")
    return int(text)


def _models(arguments: argparse.Namespace) -> list[Model]:
    """Return the models; raises UserError where one is given twice, or another number of files on val or OOD."""
    paths = arguments.files
    places = [(path.stat().st_dev, path.stat().st_ino) if path.exists() else path for path in paths]
    if twice := [path for i, path in enumerate(paths) if places[i] in places[:i]]:
        raise UserError(f"{twice[0]}: the same file is given twice")
    _check_tables(arguments)
    stems = [path.stem for path in paths]
    names = stems if len(set(stems)) == len(stems) else [str(path) for path in paths]
    files = {"test": [File(path, True) for path in paths]}
    if arguments.val:
        files["val"] = [File(path, True) for path in _of_each("--val", arguments.val, len(paths))]
    if arguments.ood:
        files["ood-given"] = [File(path, False) for path in _of_each("--ood", arguments.ood, len(paths))]
    of_each = [dict(zip(files, found, strict=True)) for found in zip(*files.values(), strict=True)]
    return [Model(_printable(name), found) for name, found in zip(names, of_each, strict=True)]


def _check_tables(arguments: argparse.Namespace) -> None:
    """Raise UserError where a predictions table of the pipeline is given with what it has itself."""
    for path in filter(foreign_predictions.has_splits, arguments.files):
        for option in ("val", "ood", "probabilities"):
            if getattr(arguments, option):
                raise UserError(
                    f"{path}: is a predictions table of the pipeline, which has all splits and logits; "
                    f"leave out --{option}"
                )


def _of_each(option: str, given: list[Path], n_models: int) -> list[Path]:
    if len(given) not in (1, n_models):
        wanted = "give one for each, in their order, or a single one"
        raise UserError(f"{option}: {len(given)} files for {n_models} FILEs; {wanted}")
    return given * (n_models // len(given))


def _tell_shared(arguments: argparse.Namespace) -> None:
    """Say of a single file on val or OOD that it was used for several models."""
    for option, given in (("--val", arguments.val), ("--ood", arguments.ood)):
        if given and len(given) < len(arguments.files):
            told = f"{option} {given[0]}: used for all {len(arguments.files)} FILEs"
            _tell(f"{told}, which is right only if one model made them all")


def _printable(text: str) -> str:
    """Return a text whose unprintable characters, which names of files may hold, are shown as in a fault."""
    return str(UserError(text))


def _tell(line: str) -> None:
    print(f"evaluate_predictions: {_printable(line)}", file=sys.stderr)


def _check_output(arguments: argparse.Namespace, models: list[Model]) -> None:
    """Raise UserError where the table could not be written, or would take the place of predictions."""
    output = arguments.output
    if not output:
        if arguments.format == "parquet":
            raise UserError("--format parquet prints nothing; name a file by --output")
        return
    if output.is_dir():
        raise UserError(f"--output {output}: is a folder; name a file")
    inputs = {file.path for model in models for file in model.files.values() if file.path.exists()}
    if output.exists() and any(output.samefile(path) for path in inputs):
        raise UserError(f"--output {output}: is one of the files to evaluate; name another")


# ---- numbers ----


def _evaluate_all(models: list[Model], arguments: argparse.Namespace) -> tuple[list[dict], dict[str, dict]]:
    """Return the rows of the metrics table of all models, and what was chosen on val for each.

    A file is read once, and held while a model needs it.
    """
    settings = _settings(arguments)
    rows, chosen, held = [], {}, {}
    for i, model in enumerate(models):
        wanted = {file for other in models[i:] for file in other.files.values()}
        held = {file: found for file, found in held.items() if file in wanted}
        found, chosen[model.name] = _evaluate(model, _read(model, held, arguments.probabilities), settings)
        rows += found
    return rows, chosen


def _read(model: Model, held: dict[File, Predictions], probabilities: bool) -> dict[str, Predictions]:
    """Return the predictions of each split; held: those of files that were read before, and from now on these."""
    if foreign_predictions.has_splits(path := model.files["test"].path):
        return predictions_by_split(schemas.read_table(path))
    for file in model.files.values():
        if file not in held:
            held[file] = foreign_predictions.read(file.path, probabilities, file.labelled)
    predictions = {split: held[file] for split, file in model.files.items()}
    known = predictions["test"].logits.shape[1]
    for split, file in model.files.items():
        if (found := predictions[split].logits.shape[1]) != known:
            test = model.files["test"].path
            raise UserError(f"{file.path}: has {found} classes and {test} {known}; give predictions of one model")
    return predictions


def _evaluate(model: Model, predictions: dict[str, Predictions], settings: SimpleNamespace) -> tuple[list[dict], dict]:
    """Return the rows of the metrics table of one model, and what was chosen on val."""
    identity = {"dataset": "given", "name": model.name, "role": "given", "seed": 0, "variant": "clean"}
    fitted = fit_scores(predictions, settings.scores)
    return evaluate(predictions, settings, identity, fitted), chosen_on_val(fitted)


def _settings(arguments: argparse.Namespace) -> SimpleNamespace:
    return SimpleNamespace(
        scores=arguments.scores,
        metrics=FAMILIES,
        ece_bins=arguments.bins,
        selective_accuracies_percent=[90, 95, 97, 99, 99.5],
        coverages_percent=[50, 70, 80, 90],
        n_resamples=arguments.resamples,
        resampled_splits=["test"] if arguments.resamples else [],
    )


# ---- the table for people ----


def table(rows: list[dict], chosen: dict[str, dict]) -> str:
    """Return the numbers on test and out of distribution for people: a block a file, a row a metric.

    chosen: what was chosen on val for each model and score.
    """
    frame = pd.DataFrame(rows)
    blocks = []
    for name, found in frame[frame.split != "val"].groupby("name", sort=False):
        known = found.dropna(subset="value").assign(text=lambda rows: [_text(row) for row in rows.itertuples()])
        shown = known.pivot(index=["split", "metric"], columns="score", values="text")
        shown = shown.reindex(index=pd.MultiIndex.from_frame(known[["split", "metric"]].drop_duplicates()))
        shown = shown[[score for score in ["none", *SCORES] if score in shown]].rename(columns={"none": "-"})
        heading = f"{name}  (n = {found.n.iloc[0]:,})"
        blocks.append("\n".join([heading, shown.to_string(na_rep=""), *_choices(chosen[name]), *_notes(found)]))
    return "\n\n".join(blocks)


def _text(row) -> str:
    """Return the value, and its interval where there is one."""
    interval = "" if pd.isna(row.low) else f" ({row.low:.4f}-{row.high:.4f})"
    return f"{row.value:.4f}{interval}"


def _choices(chosen: dict[str, dict]) -> list[str]:
    """Return a line for each score that something was chosen for."""
    values = [(score, what, value) for score, choice in chosen.items() for what, value in choice.items()]
    shown = [(score, what, f"{value:.4f}" if isinstance(value, float) else value) for score, what, value in values]
    return [f"{score}: {what} {value}, chosen on val" for score, what, value in shown]


def _notes(found: pd.DataFrame) -> list[str]:
    """Return a line for each reason why numbers are missing: which metrics, and of which scores."""
    scores_without = {}  # (reason, metrics) -> scores
    for (score, reason), rows in found[found.value.isna()].groupby(["score", "reason"], sort=False):
        metrics = _families(set(rows.metric), list(found.metric[found.score == score]))
        scores_without.setdefault((reason, metrics), []).append(score)
    return [f"no {what} for {', '.join(scores)}: {reason}" for (reason, what), scores in scores_without.items()]


def _families(missing: set[str], known: list[str]) -> str:
    """Return the names of missing metrics: FAMILY-* where a whole family is, "number" where all known ones are."""
    if missing == set(known):
        return "number"
    names = []
    for name in known:
        family = name.rpartition("-")[0]
        whole = family in PARAMETRISED and missing >= {other for other in known if other.rpartition("-")[0] == family}
        names += [f"{family}-*" if whole else name] * (name in missing)
    return ", ".join(dict.fromkeys(names))


if __name__ == "__main__":
    main()

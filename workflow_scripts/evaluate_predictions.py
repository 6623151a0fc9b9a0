"""Evaluate predictions from any model: evaluate_predictions.py FILE ... [--val FILE ...] [--ood FILE ...]

FILE is Parquet, CSV or NPZ with a column label and logits: one list column "logits" (Parquet), columns logit_0,
logit_1, ... (Parquet, CSV), or arrays logits (n, C) and label (n,) (NPZ). Each FILE is a model on test, or a table of
predictions of the pipeline, which has all splits. The definitions are in docs/metrics.md.
"""

import argparse
import os
import sys
from pathlib import Path
from types import SimpleNamespace

from selfdoubt.evaluation.metrics import FAMILIES
from selfdoubt.evaluation.scores import SCORES, SIGNALS
from selfdoubt.external import predictions, tables
from selfdoubt.external.models import Model, evaluate_models, models_of, reference_among
from selfdoubt.runtime.errors import UserError

LEAST_RESAMPLES = 100  # as in the config
RESAMPLES_OF_COMPARISONS = 1000
MOST_BINS = 1_000_000  # of each class; more serve nobody and fill the memory
EXAMPLE = """\
example: two models, their values with 95 % intervals, and how b differs from a
  evaluate_predictions.py a.csv b.csv --val val-a.csv val-b.csv --reference a --output metrics.csv
"""


def main():
    for stream in filter(None, (sys.stdout, sys.stderr)):  # one that is closed is None
        stream.reconfigure(errors="backslashreplace")
    try:
        _run(_parser().parse_args())
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # as of a program that the signal ends
    except KeyboardInterrupt:
        _tell("interrupted")
        sys.exit(130)
    except (UserError, OSError, MemoryError) as fault:
        _tell("out of memory" if isinstance(fault, MemoryError) else str(fault))
        sys.exit(2)


def _run(arguments: argparse.Namespace) -> None:
    _check_tables(arguments)
    models = models_of(arguments.files, arguments.val, arguments.ood)
    _check_output(arguments, models)
    rows = evaluate_models(models, _settings(arguments, models), _tell)
    _tell_doubts(arguments)
    if arguments.format == "json":
        print(tables.as_json(rows))
    elif arguments.format != "parquet":
        print(tables.report(rows, arguments.splits, arguments.format))
    if arguments.output:
        _write(arguments.output, rows)


def _write(output: Path, rows: list[dict]) -> None:
    try:
        tables.write(output, rows)
    except OSError as error:
        raise UserError(f"--output {output}: cannot be written ({error.strerror or error})") from None


# ---- the call ----


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong; the usage is what --help is for."""

    def error(self, message: str):
        raise UserError(message)


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(description=__doc__, epilog=EXAMPLE, formatter_class=raw)
    several = {"nargs": "+", "type": Path, "metavar": "FILE"}
    parser.add_argument("files", help="predictions on test, a file a model", **several)
    of_val = "on val, where temperature and p are fitted: one for each FILE, in their order"
    parser.add_argument("--val", help=of_val, **several)
    of_ood = "on images of other classes, likewise; their classes, if any, as ood_class"
    parser.add_argument("--ood", help=of_ood, **several)
    numbers = parser.add_mutually_exclusive_group()
    numbers.add_argument("--probabilities", action="store_true", help="the numbers are probabilities, not logits")
    of_logits = "they are logits, even where the rows sum to one, which is refused otherwise"
    numbers.add_argument("--logits", action="store_true", help=of_logits)
    of_output = f"write all numbers here; the suffix says how: {', '.join(tables.WRITERS)}"
    parser.add_argument("--output", type=Path, metavar="FILE", help=of_output)
    formats = ["table", "json", "parquet", "markdown", "latex"]
    of_format = "what is printed: table (default), json, markdown, latex (booktabs), or parquet: nothing"
    parser.add_argument("--format", choices=formats, default="table", metavar="FORMAT", help=of_format)
    for option, choices in (("scores", [*SCORES, *SIGNALS]), ("metrics", list(FAMILIES))):
        chosen = {"nargs": "+", "choices": choices, "metavar": option.upper()[:-1]}
        parser.add_argument(f"--{option}", help=f"of {', '.join(choices)} (default: all that can be had)", **chosen)
    of_splits = "as test, ood-given, and of a pipeline's table contrast-3, contrast-mean, corrupted-mean, ... "
    of_splits += "(default: all; what is printed for people leaves out single corruptions)"
    parser.add_argument("--splits", nargs="+", metavar="SPLIT", help=of_splits)
    of_reference = "one of the models, by its name or FILE: print how the others differ from it"
    parser.add_argument("--reference", metavar="NAME", help=of_reference)
    parser.add_argument("--bins", type=_bins, default=15, help="of the calibration errors (15)")
    resamples = f"for 95 %% bootstrap intervals on all splits but val, {LEAST_RESAMPLES} or more, 0: none "
    resamples += f"(default: 0, with --reference {RESAMPLES_OF_COMPARISONS})"
    parser.add_argument("--resamples", type=_resamples, help=resamples)
    return parser


def _bins(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_BINS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to {MOST_BINS}")
    return int(text)


def _resamples(text: str) -> int:
    if not text.isdecimal() or 0 < int(text) < LEAST_RESAMPLES:
        raise argparse.ArgumentTypeError(f"'{text}' is neither 0 nor a whole number of {LEAST_RESAMPLES} or more")
    return int(text)


def _settings(arguments: argparse.Namespace, models: list[Model]) -> SimpleNamespace:
    """Return what `evaluate_models` is asked; raises UserError where a comparison cannot be."""
    reference, resamples = arguments.reference, arguments.resamples
    if reference:
        reference = reference_among(models, reference)
        if len(models) == 1:
            raise UserError("--reference: there is but one FILE; give the files of other models too")
        if resamples == 0:
            raise UserError(f"--reference: needs --resamples of {LEAST_RESAMPLES} or more")
    return SimpleNamespace(
        scores=_once(arguments.scores) or [*SCORES, *_signals(arguments.files)],
        metrics=_once(arguments.metrics) or list(FAMILIES),
        splits=_once(arguments.splits),
        reference=reference,
        probabilities=True if arguments.probabilities else False if arguments.logits else None,
        ece_bins=arguments.bins,
        selective_accuracies_percent=[90, 95, 97, 99, 99.5],
        coverages_percent=[50, 70, 80, 90],
        n_resamples=(RESAMPLES_OF_COMPARISONS if reference else 0) if resamples is None else resamples,
    )


def _once(names: list[str] | None) -> list[str] | None:
    return list(dict.fromkeys(names)) if names else None


def _signals(files: list[Path]) -> list[str]:
    """Return the scores that come as a column of a predictions table of the pipeline."""
    columns = {name for path in files for name in predictions.columns_with_splits(path)}
    return [score for score, column in SIGNALS.items() if column in columns]


def _check_tables(arguments: argparse.Namespace) -> None:
    """Raise UserError where a predictions table of the pipeline is given with what it has itself."""
    for path in filter(predictions.has_splits, arguments.files):
        for option in ("val", "ood", "probabilities"):
            if getattr(arguments, option):
                raise UserError(
                    f"{path}: is a predictions table of the pipeline, which has all splits and logits; "
                    f"leave out --{option}"
                )


def _tell_doubts(arguments: argparse.Namespace) -> None:
    """Say of a file on val that it is one on test, and of a single file that it was used for several models."""
    for path in arguments.val or []:
        if any(path.samefile(file) for file in arguments.files):
            _tell(f"--val {path}: is the FILE itself: temperature and p are judged by what they were fitted on")
    for option, given in (("--val", arguments.val), ("--ood", arguments.ood)):
        if given and len(given) < len(arguments.files):
            told = f"{option} {given[0]}: used for all {len(arguments.files)} FILEs"
            _tell(f"{told}, which is right only if one model made them all")


def _tell(line: str) -> None:
    print(f"evaluate_predictions: {UserError(line)}", file=sys.stderr)  # whose text is one printable line


def _check_output(arguments: argparse.Namespace, models: list[Model]) -> None:
    """Raise UserError where the numbers could not be written, or would take the place of predictions."""
    output, suffixes = arguments.output, ", ".join(tables.WRITERS)
    if not output:
        if arguments.format == "parquet":
            raise UserError("--format parquet prints nothing; name a file by --output")
        return
    if output.is_dir():
        raise UserError(f"--output {output}: is a folder; name a file")
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"--output {output}: {folder} cannot be written to; name another")
    inputs = {file.path for model in models for file in model.files.values() if file.path.exists()}
    if output.exists() and any(output.samefile(path) for path in inputs):
        raise UserError(f"--output {output}: is one of the files to evaluate; name another")
    if output.suffix.lower() not in tables.WRITERS:
        raise UserError(f"--output {output}: '{output.suffix}' is not one of {suffixes}")
    if arguments.format == "parquet" and output.suffix.lower() != ".parquet":
        raise UserError(f"--output {output}: is not Parquet, which --format parquet asks for; end it with .parquet")


if __name__ == "__main__":
    main()

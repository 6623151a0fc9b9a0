"""The call of evaluate_predictions.py: its options, their checks, and how the command ends."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from selfdoubt.evaluation import scoring
from selfdoubt.external import files, tables
from selfdoubt.external.models import Model, reference_among
from selfdoubt.runtime import methods
from selfdoubt.runtime.errors import UserError
from selfdoubt.settings.choices import not_one_of
from selfdoubt.settings.metrics import METRICS, OF_OOD

LEAST_RESAMPLES = 100  # as in the config
RESAMPLES_OF_COMPARISONS = 1000
MOST_BINS = 1_000_000  # of each class; more fill the memory to no use
EXAMPLE = """\
example: two models, their values with 95 % intervals, and how b differs from a
  evaluate_predictions.py a.csv b.csv --val val-a.csv val-b.csv --reference a --output metrics.csv
"""


def exit_by(run: Callable[[], None]) -> None:
    """Call `run`; faults end the process with one line and code 2, an interrupt with 130, a closed pipe with 141."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # one that is closed is None
        stream.reconfigure(errors="backslashreplace")
    try:
        run()
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)  # as of a program that the signal ends
    except KeyboardInterrupt:
        warn("interrupted")
        sys.exit(130)
    except (UserError, OSError, MemoryError) as fault:
        warn("out of memory" if isinstance(fault, MemoryError) else str(fault))
        sys.exit(2)


def warn(line: str) -> None:
    """Print one line to the error stream."""
    print(f"evaluate_predictions: {UserError(line)}", file=sys.stderr)  # whose text is one printable line


# ---- options ----


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line; the usage is what --help is for."""

    def error(self, message: str):
        raise UserError(message)


def parse(words: list[str], description: str) -> argparse.Namespace:
    """Return the arguments of a call; raises UserError at the first invalid one."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog="evaluate_predictions.py", description=description, epilog=EXAMPLE, formatter_class=raw)
    _add_files(parser)
    _add_choices(parser)
    _add_guarantees(parser)
    _add_output(parser)
    return parser.parse_args(words)


def _add_files(parser: argparse.ArgumentParser) -> None:
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


def _add_choices(parser: argparse.ArgumentParser) -> None:
    of_scores = (
        f"of {', '.join(methods.names_in(scoring.FOLDER))}, or confidences of a FILE without logits (default: all)"
    )
    parser.add_argument("--scores", nargs="+", metavar="SCORE", help=of_scores)
    of_metrics = {"nargs": "+", "choices": tuple(METRICS), "metavar": "METRIC"}
    parser.add_argument("--metrics", help=f"of {', '.join(METRICS)} (default: all that exist)", **of_metrics)
    of_splits = "as test, ood-given, and of a pipeline's table contrast-3, contrast-mean, corrupted-mean, ... "
    of_splits += "(default: all; printed tables leave out single corruptions)"
    parser.add_argument("--splits", nargs="+", metavar="SPLIT", help=of_splits)
    of_percent = "failure- metrics also of a mix with test, so many percent of it OOD: the split ood-given@PERCENT"
    parser.add_argument("--ood-percent", nargs="+", type=_ood_percent, metavar="PERCENT", help=of_percent)
    of_reference = "one of the models, by its name or FILE: print how the others differ from it"
    parser.add_argument("--reference", metavar="NAME", help=of_reference)
    parser.add_argument("--bins", type=_bins, default=15, help="of the calibration errors (15)")
    resamples = f"for 95 %% bootstrap intervals on all splits but val, {LEAST_RESAMPLES} or more, 0: none "
    resamples += f"(default: 0, with --reference {RESAMPLES_OF_COMPARISONS})"
    parser.add_argument("--resamples", type=_resamples, help=resamples)


def _add_guarantees(parser: argparse.ArgumentParser) -> None:
    several = {"nargs": "+", "type": _fraction}
    of_risks = "find a threshold on val that bounds the risk of what it accepts, and what it accepts of test"
    parser.add_argument("--target-risks", metavar="RISK", help=of_risks, **several)
    of_delta = "how often such a bound may be broken (0.05)"
    parser.add_argument("--delta", type=_fraction, help=of_delta)
    of_resplits = "of the rows of val and test, to count how often it is (1000)"
    parser.add_argument("--resplits", type=_count, help=of_resplits)
    of_alphas = "calibrate conformal sets on val that have the label with a probability of 1 - ALPHA: lac, aps, raps"
    parser.add_argument("--alphas", metavar="ALPHA", help=of_alphas, **several)
    of_file = "write the numbers of --target-risks and --alphas to this file; --output and json have the metrics alone"
    parser.add_argument("--guarantees", type=Path, metavar="FILE", help=of_file)


def _add_output(parser: argparse.ArgumentParser) -> None:
    of_output = f"write all numbers to this file, in the format of its suffix: {', '.join(tables.WRITERS)}"
    parser.add_argument("--output", type=Path, metavar="FILE", help=of_output)
    formats = ["table", "json", "parquet", "markdown", "latex"]
    of_format = "what is printed: table (default), json, markdown, latex (booktabs), or parquet: nothing"
    parser.add_argument("--format", choices=formats, default="table", metavar="FORMAT", help=of_format)


def _fraction(text: str) -> float:
    return _percent(text, 1, "fraction between 0 and 1")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)


def _bins(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_BINS:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to {MOST_BINS}")
    return int(text)


def _percent(text: str, below: float = 100, what: str = "percentage between 0 and 100") -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < below:
        raise argparse.ArgumentTypeError(f"'{text}' is not a {what}")
    return value


def _ood_percent(text: str) -> float:
    if _percent(text) > 99.999:  # six digits of it are in the name of the split
        raise argparse.ArgumentTypeError(f"'{text}' is above 99.999")
    return float(text)


def _resamples(text: str) -> int:
    if not text.isdecimal() or 0 < int(text) < LEAST_RESAMPLES:
        raise argparse.ArgumentTypeError(f"'{text}' is neither 0 nor a whole number of {LEAST_RESAMPLES} or more")
    return int(text)


def settings_of(arguments: argparse.Namespace, models: list[Model]) -> SimpleNamespace:
    """Return the settings for `evaluate_models`; raises UserError where the reference cannot be compared with."""
    reference, resamples = arguments.reference, arguments.resamples
    if reference:
        reference = reference_among(models, reference)
        if len(models) == 1:
            raise UserError("--reference: there is but one FILE; give the files of other models too")
        if resamples == 0:
            raise UserError(f"--reference: needs --resamples of {LEAST_RESAMPLES} or more")
    return SimpleNamespace(
        scores=_scores(arguments),
        metrics=_once(arguments.metrics) or list(METRICS),
        splits=_once(arguments.splits),
        reference=reference,
        probabilities=True if arguments.probabilities else False if arguments.logits else None,
        ece_bins=arguments.bins,
        selective_accuracies_percent=[90, 95, 97, 99, 99.5],
        coverages_percent=[50, 70, 80, 90],
        guarantees=_guarantees(arguments),
        ood_mixed_percent=_once(arguments.ood_percent) or [],
        n_resamples=(RESAMPLES_OF_COMPARISONS if reference else 0) if resamples is None else resamples,
    )


def _guarantees(arguments: argparse.Namespace) -> SimpleNamespace | None:
    """Return the settings of the guarantees; None where none is asked for."""
    for option in ("delta", "resplits"):
        if getattr(arguments, option) is not None and not arguments.target_risks:
            raise UserError(f"--{option}: needs --target-risks")
    if not (arguments.target_risks or arguments.alphas):
        if arguments.guarantees:
            raise UserError("--guarantees: needs --target-risks or --alphas")
        return None
    return SimpleNamespace(
        scores=_once(arguments.scores),
        target_risks=_once(arguments.target_risks) or [],
        delta=0.05 if arguments.delta is None else arguments.delta,
        n_resplits=arguments.resplits or 1000,
        alphas=_once(arguments.alphas) or [],
        raps_penalty=0.1,
        raps_free_classes=2,
    )


def _once(names: list | None) -> list | None:
    return list(dict.fromkeys(names)) if names else None


def _scores(arguments: argparse.Namespace) -> list[str]:
    """Return the chosen scores, else all: those from logits, those whose column some table has, and given confidences.

    Raises UserError at one that is none of them.
    """
    columns = {name for path in arguments.files for name in files.columns_with_splits(path)}
    given = [name for path in arguments.files for name in files.confidences_in(path)]
    names = [*methods.names_in(scoring.FOLDER), *given]
    for name in arguments.scores or []:
        if name not in names:
            raise UserError(f"--scores: {not_one_of(name, list(dict.fromkeys(names)), 'a score')}")
    has_column = {name: scoring.load(name).COLUMN in columns for name in names if _reads_column(name)}
    return _once(arguments.scores) or _once([name for name in names if name in given or has_column.get(name, True)])


def _reads_column(name: str) -> bool:
    return scoring.is_module(name) and scoring.is_column(name)


# ---- checks ----


def check_tables(arguments: argparse.Namespace) -> None:
    """Raise UserError where a predictions table of the pipeline is given with options for what it contains."""
    for path in filter(files.has_splits, arguments.files):
        for option in ("val", "ood", "probabilities"):
            if getattr(arguments, option):
                raise UserError(
                    f"{path}: is a predictions table of the pipeline, which has all splits and logits; "
                    f"leave out --{option}"
                )


def check_ood(arguments: argparse.Namespace) -> None:
    """Raise UserError where numbers of OOD images are asked for, and there are none."""
    if arguments.ood or any(map(files.has_splits, arguments.files)):
        return
    if arguments.ood_percent:
        raise UserError("--ood-percent: needs --ood")
    if needing := [name for name in arguments.metrics or [] if METRICS[name].kind in OF_OOD]:
        raise UserError(f"--metrics {needing[0]}: needs --ood")


def check_output(arguments: argparse.Namespace, models: list[Model]) -> None:
    """Raise UserError where the numbers could not be written, or would overwrite predictions."""
    if not arguments.output and arguments.format == "parquet":
        raise UserError("--format parquet prints nothing; name a file by --output")
    inputs = {file.path for model in models for file in model.files.values() if file.path.exists()}
    for option in ("output", "guarantees"):
        if path := getattr(arguments, option):
            _check_file(f"--{option} {path}", path, inputs)
    if arguments.output and arguments.guarantees and arguments.output.resolve() == arguments.guarantees.resolve():
        raise UserError(f"--guarantees {arguments.guarantees}: is the file of --output too; name another")
    if arguments.output and arguments.format == "parquet" and arguments.output.suffix.lower() != ".parquet":
        what = f"--output {arguments.output}: is not Parquet, which --format parquet needs"
        raise UserError(f"{what}; end it with .parquet")


def _check_file(what: str, path: Path, inputs: set[Path]) -> None:
    if path.is_dir():
        raise UserError(f"{what}: is a folder; name a file")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UserError(f"{what}: {folder} cannot be written to; name another")
    if path.exists() and any(path.samefile(file) for file in inputs):
        raise UserError(f"{what}: is one of the files to evaluate; name another")
    if path.suffix.lower() not in tables.WRITERS:
        raise UserError(f"{what}: '{path.suffix}' is not one of {', '.join(tables.WRITERS)}")


def warn_of_shared_files(arguments: argparse.Namespace) -> None:
    """Warn where a file on val is that on test, and where a single file on val or OOD is used for several models."""
    for path in arguments.val or []:
        if any(path.samefile(file) for file in arguments.files):
            warn(f"--val {path}: is the FILE itself: temperature and p are fitted on the samples that are evaluated")
    for option, given in (("--val", arguments.val), ("--ood", arguments.ood)):
        if given and len(given) < len(arguments.files):
            shared = f"{option} {given[0]}: used for all {len(arguments.files)} FILEs"
            warn(f"{shared}, which is correct only if one model made them all")

"""Confidence and correctness of arms and replicates, which several kinds of figures show."""

from pathlib import Path

import numpy as np

from selfdoubt.evaluation import scoring
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.evaluation.softmax import Softmax
from selfdoubt.evaluation.undefined import Undefined, attempt
from selfdoubt.figures.texts import NothingToShow
from selfdoubt.runtime import table_files
from selfdoubt.runtime.errors import UserError

MAX_PROBABILITY = "max-probability"  # not a score that ranks: the promise that calibration is about
Runs = dict[str, list[tuple[np.ndarray, np.ndarray]]]  # arm -> per replicate (confidence (n,), correct (n,))


def runs(paths: list[Path], arms: list[str], split: str, score: str) -> Runs:
    """Return for each arm a list over replicates of (confidence (n,), correct (n,)).

    paths: predictions of arms, then replicates; of an arm that is there for one replicate alone, the same path for
    each.
    score: a score of the config, or MAX_PROBABILITY.
    """
    n_replicates = len(paths) // len(arms)
    own = {arm: dict.fromkeys(paths[i * n_replicates : (i + 1) * n_replicates]) for i, arm in enumerate(arms)}
    return {arm: [confidence_and_correctness(path, split, score) for path in found] for arm, found in own.items()}


def confidence_and_correctness(path: Path, split: str, score: str) -> tuple[np.ndarray, np.ndarray]:
    """Return confidence (n,) and correctness (n,) of one split; a score is fitted on `val`.

    Raises UserError if the split is not in the table, NothingToShow if the score has no values there.
    """
    predictions = predictions_by_split(table_files.read_table(path), path)
    if split not in predictions:
        raise UserError(f"{path}: has no split '{split}'; splits: {', '.join(predictions)}")
    sample = predictions[split]
    if sample.logits is None:
        own = "msp" if score == MAX_PROBABILITY else score
        return _known(path, score, attempt(scoring.given, sample, split, own)), sample.correct
    softmax = Softmax(sample.logits, reported=sample.predicted)
    if score == MAX_PROBABILITY:
        return softmax.reported_probability(), sample.correct
    fitted = scoring.fit_scores(predictions, [score]).get(score)
    if scoring.is_column(score):
        return _known(path, score, attempt(scoring.from_column, sample, split, score, fitted)), sample.correct
    return _known(path, score, fitted)(softmax), sample.correct


def _known(path: Path, score: str, found):
    if isinstance(found, Undefined):
        raise NothingToShow(f"{_arm(path)}: score {score}: {found}")
    return found


def _arm(path: Path) -> str:
    """Return the model and the variant of a file of predictions, …/MODEL/replicate-1/VARIANT.parquet."""
    return "/".join([*path.parts[-3:-1], path.stem])


def n_replicates(data: Runs) -> int:
    """Return the largest number of replicates that an arm has."""
    return max(len(replicates) for replicates in data.values())


def extent(data: Runs, settings) -> str:
    """Return "fashion-mnist-12k, test, n = 10,000"."""
    sizes = sorted({len(confidence) for replicates in data.values() for confidence, _ in replicates})
    return f"{settings.dataset}, {settings.split}, n = {' or '.join(f'{size:,}' for size in sizes)}"

"""Pre-registered hypotheses and exploratory comparisons, from predictions to verdicts.

A hypothesis names two arms, a metric and the side it claims. Its family, within which p is corrected, are
the hypotheses of its study on one data set. Exploratory comparisons set every arm of a study against the
study's reference; they are families of their own and get no verdict.
"""

from itertools import product

from selfdoubt.evaluation import comparisons, metrics, statistics, summaries
from selfdoubt.runtime import schemas


class Predictions:
    """What every arm and replicate answers to the questions of a study; files are read when they are first needed."""

    def __init__(self, paths: list, settings):
        """paths: of data sets, then arms, then replicates, each in the order of the settings.

        Of an arm that is there for one replicate alone, it is the same path for each.
        """
        keys = product(settings.datasets, settings.arms, settings.replicates)
        self._paths = dict(zip(keys, paths, strict=True))
        self._settings = settings
        self._answers: dict = {}

    def pairs(self, dataset: str, better: str, than: str) -> list[tuple]:
        """Return (better, than) answers of each replicate; one pair where neither arm has more than one."""
        paths = [
            tuple(self._paths[dataset, arm, replicate] for arm in (better, than))
            for replicate in self._settings.replicates
        ]
        return [tuple(map(self._answer, (better, than), pair)) for pair in dict.fromkeys(paths)]

    def _answer(self, arm: str, path) -> comparisons.Answers:
        key = (arm, path)
        if key not in self._answers:
            predictions = summaries.predictions_by_split(schemas.read_table(path))
            asked, evaluation = _questions(arm, self._settings), self._settings.evaluation
            self._answers[key] = comparisons.answer(predictions, asked, evaluation.n_resamples, evaluation)
        return self._answers[key]


def _questions(arm: str, settings) -> list[tuple[str, str, str]]:
    """Return all that the study asks of an arm."""
    explored = any(arm in (study.reference, *study.arms) for study in settings.studies)
    asked = list(settings.comparisons) if explored else []
    asked += [claim for claim in settings.hypotheses if arm in (claim.better, claim.than)]
    return list(dict.fromkeys((what.metric, what.score, what.split) for what in asked))


def judge(predictions: Predictions, settings) -> dict[str, list[dict]]:
    """Return the rows of the tables "comparisons" and "hypotheses"."""
    tables = {"comparisons": [], "hypotheses": []}
    for dataset, study in product(settings.datasets, settings.studies):
        explored = [
            _compare(predictions, dataset, study.name, arm, study.reference, comparison)
            for arm, comparison in product(study.arms, settings.comparisons)
        ]
        claims = [h for h in settings.hypotheses if h.study == study.name]
        judged = [_compare(predictions, dataset, h.study, h.better, h.than, h) for h in claims]
        for family in (explored, judged):
            for row, p in zip(family, statistics.holm([row["p"] for row in family]), strict=True):
                row["p_holm"] = p
        tables["comparisons"] += [*explored, *judged]
        tables["hypotheses"] += [_verdict(row, claim, settings) for row, claim in zip(judged, claims, strict=True)]
    for rows in tables.values():
        for row in rows:
            row.pop("differences", None)
    return tables


def _compare(predictions: Predictions, dataset: str, study: str, better: str, than: str, what) -> dict:
    question = (what.metric, what.score, what.split)
    found = comparisons.compare(predictions.pairs(dataset, better, than), question)
    place = {"dataset": dataset, "study": study, "better": better, "than": than}
    return place | {"metric": what.metric, "score": what.score, "split": what.split} | found


def _verdict(row: dict, claim, settings) -> dict:
    """One replicate of what was trained here says nothing of the next; what was trained elsewhere is what it is."""
    sign, known = metrics.direction(row["metric"]), {row["better"], row["than"]} <= {*settings.pretrained}
    verdict = "inconclusive"
    if row["n_replicates"] > 1 or known:
        verdict = statistics.verdict(row["low"], row["high"], row["p_holm"], sign)
    needed = statistics.n_replicates_needed(row["differences"]) if verdict == "inconclusive" else None
    return row | {
        "hypothesis": claim.name,
        "statement": claim.statement,
        "verdict": verdict,
        "n_replicates_needed": needed,
    }

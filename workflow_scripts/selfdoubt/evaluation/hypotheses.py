"""Pre-registered hypotheses and exploratory comparisons, from predictions to verdicts.

A hypothesis names two arms, a metric and the side that it claims. Its family, within which p is corrected, are the
hypotheses of its study on one data set. Exploratory comparisons are those of every arm of a study with the
study's reference; on one data set they are a family too, and get no verdict.
"""

from itertools import product

from selfdoubt.evaluation import comparisons, paired_tests, warnings
from selfdoubt.evaluation.comparisons import Estimates, Quantity
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files
from selfdoubt.settings.metrics import metric


class Arms:
    """The estimates of every arm and replicate of a study; a file is read when it is first needed."""

    def __init__(self, paths: list, settings):
        """paths: of data sets, then arms, then replicates, each in the order of the settings.

        Of an arm that is there for one replicate alone, it is the same path for each.
        """
        keys = product(settings.datasets, settings.arms, settings.replicates)
        self._paths = dict(zip(keys, paths, strict=True))
        self._settings = settings
        self._estimates: dict = {}

    def pairs(self, dataset: str, better: str, than: str) -> list[tuple[Estimates, Estimates]]:
        """Return (better, than) of each replicate; one pair where neither arm has more than one."""
        paths = [
            tuple(self._paths[dataset, arm, replicate] for arm in (better, than))
            for replicate in self._settings.replicates
        ]
        return [tuple(map(self._estimates_of, (better, than), pair)) for pair in dict.fromkeys(paths)]

    def _estimates_of(self, arm: str, path) -> Estimates:
        key = (arm, path)
        if key not in self._estimates:
            predictions = predictions_by_split(table_files.read_table(path), path)
            wanted, evaluation = _quantities(arm, self._settings), self._settings.evaluation
            self._estimates[key] = comparisons.estimate(predictions, wanted, evaluation.n_resamples, evaluation)
        return self._estimates[key]


def _quantities(arm: str, settings) -> list[Quantity]:
    """Return all quantities by which the study compares an arm."""
    explored = any(arm in (study.reference, *study.arms) for study in settings.studies)
    wanted = list(settings.comparisons) if explored else []
    wanted += [claim for claim in settings.hypotheses if arm in (claim.better, claim.than)]
    return list(dict.fromkeys((what.metric, what.score, what.split) for what in wanted))


def compare_arms(arms: Arms, settings) -> dict[str, list[dict]]:
    """Return the rows of the tables "comparisons" and "hypotheses"."""
    tables = {"comparisons": [], "hypotheses": []}
    for dataset, study in product(settings.datasets, settings.studies):
        explored = [
            _compare(arms, dataset, study.name, arm, study.reference, comparison)
            for arm, comparison in product(study.arms, settings.comparisons)
        ]
        claims = [h for h in settings.hypotheses if h.study == study.name]
        claimed = [_compare(arms, dataset, h.study, h.better, h.than, h) for h in claims]
        for family in (explored, claimed):
            for row, p in zip(family, paired_tests.holm([row["p"] for row in family]), strict=True):
                row["p_holm"] = p
        tables["comparisons"] += [*explored, *claimed]
        tables["hypotheses"] += [
            _verdict(row, claim, arms, settings) for row, claim in zip(claimed, claims, strict=True)
        ]
    for rows in tables.values():
        for row in rows:
            row.pop("differences", None)
    return tables


def _compare(arms: Arms, dataset: str, study: str, better: str, than: str, what) -> dict:
    found = comparisons.compare(arms.pairs(dataset, better, than), (what.metric, what.score, what.split))
    place = {"dataset": dataset, "study": study, "better": better, "than": than}
    return place | {"metric": what.metric, "score": what.score, "split": what.split} | found


def _verdict(row: dict, claim, arms: Arms, settings) -> dict:
    """Return the row of a hypothesis.

    Of models that were trained here one replicate is not evidence about another, so that the verdict is inconclusive;
    of models that were trained elsewhere there is no other.
    """
    better, pretrained = metric(row["metric"]).better, {row["better"], row["than"]} <= {*settings.pretrained}
    verdict = "inconclusive"
    if row["n_replicates"] > 1 or pretrained:
        verdict = paired_tests.verdict(row["low"], row["high"], row["p_holm"], better)
    sides = [side for pair in arms.pairs(row["dataset"], claim.better, claim.than) for side in pair]
    needed = paired_tests.n_replicates_needed(row["differences"]) if verdict == "inconclusive" else None
    return row | {
        "hypothesis": claim.name,
        "statement": claim.statement,
        "registered": claim.registered,
        "verdict": verdict,
        "n_replicates_needed": needed,
        "warning": warnings.of_claim(claim.metric, claim.split, sides, row["difference"]),
    }

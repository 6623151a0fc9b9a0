"""From predictions to verdicts: of made-up arms a true claim is supported, and its reverse refuted."""

from types import SimpleNamespace

import numpy as np
import pytest
from helpers import SCHEMAS

from selfdoubt.data.datasets import Split
from selfdoubt.evaluation import hypotheses, metrics_table, paired_tests, prediction_tables
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files

N, REPLICATES = 120, [1, 2, 3]
LABELS = np.arange(N) % 3
EVALUATION = SimpleNamespace(ece_bins=15, n_resamples=200)
ACCURACY = SimpleNamespace(metric="accuracy", score="none", split="test")
AURC = SimpleNamespace(metric="aurc", score="msp", split="test")


def logits_of(predicted: np.ndarray, evidence: np.ndarray) -> np.ndarray:
    """The logit of the predicted class is the evidence for it, the others are 0."""
    return (np.eye(3)[predicted] * evidence[:, None]).astype(np.float32)


def sharp(replicate: int) -> np.ndarray:
    """A quarter is incorrect, and has the least confidence."""
    incorrect = np.arange(N) % 4 == 0
    evidence = np.random.default_rng(replicate).uniform(0, 1, N) + np.where(incorrect, 1, 3)
    return logits_of((LABELS + incorrect) % 3, evidence)


def dull(replicate: int) -> np.ndarray:
    """The predictions of `sharp` with random confidence."""
    return logits_of(sharp(replicate).argmax(1), np.random.default_rng(replicate + 10).uniform(1, 4, N))


def dim(replicate: int) -> np.ndarray:
    """As dull, with another random confidence."""
    return logits_of(sharp(replicate).argmax(1), np.random.default_rng(replicate + 20).uniform(1, 4, N))


def poor(replicate: int) -> np.ndarray:
    """Half is incorrect."""
    incorrect = np.random.default_rng(replicate).permutation(N) < N // 2
    return logits_of((LABELS + incorrect) % 3, np.random.default_rng(replicate).uniform(1, 4, N))


def perfect(replicate: int) -> np.ndarray:
    return logits_of(LABELS, np.full(N, 2.0))


ARMS = {"sharp": sharp, "dull": dull, "poor": poor, "perfect": perfect, "dim": dim}


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> list:
    """Predictions of one data set's arms, then replicates."""
    folder = tmp_path_factory.mktemp("predictions")
    split = Split(np.zeros((N, 1, 1, 1), np.uint8), LABELS, np.arange(N, dtype=np.int32))
    paths = [folder / f"{arm}-{replicate}.parquet" for arm in ARMS for replicate in REPLICATES]
    for path in paths:
        arm, replicate = path.stem.split("-")
        logits = ARMS[arm](int(replicate))
        prediction_tables.write_predictions(path, {"val": split, "test": split}, {"val": logits, "test": logits})
    return paths


def test_arms_of_one_replicate_are_one_pair_and_stand_against_every_replicate_of_others(paths):
    first = paths[: len(REPLICATES)]
    arms = ["sharp", "p", "q"]
    settings = SimpleNamespace(datasets=["d"], arms=arms, replicates=REPLICATES, evaluation=EVALUATION)
    settings.studies, settings.hypotheses, settings.comparisons = [], [], []
    predictions = hypotheses.Arms([*first, *[paths[3]] * 3, *[paths[6]] * 3], settings)
    assert len(predictions.pairs("d", "p", "q")) == 1
    pairs = predictions.pairs("d", "sharp", "p")
    assert len(pairs) == 3 and pairs[0][1] is pairs[2][1] and pairs[0][0] is not pairs[2][0]


def claim(better: str, than: str, study: str = "ranking", what=AURC) -> SimpleNamespace:
    text = f"{better} beats {than} on {what.metric}"
    known = {"statement": text, "study": study, "registered": True} | vars(what)
    return SimpleNamespace(name=f"{better}-{than}", better=better, than=than, **known)


def study_of(name: str = "ranking", reference: str = "dull", arms: tuple = ("sharp", "poor")) -> SimpleNamespace:
    return SimpleNamespace(name=name, reference=reference, arms=list(arms))


RANKING = (study_of(),)


def tables_of(paths: list, claims=(), studies=RANKING, comparisons=(), datasets=("fashion",), **other) -> dict:
    settings = {"datasets": list(datasets), "arms": list(ARMS), "replicates": REPLICATES, "evaluation": EVALUATION}
    settings = SimpleNamespace(**settings | {"pretrained": []} | other)
    settings.hypotheses, settings.studies, settings.comparisons = list(claims), list(studies), list(comparisons)
    return hypotheses.compare_arms(hypotheses.Arms(paths, settings), settings)


def verdicts(tables: dict) -> dict[str, str]:
    return {row["hypothesis"]: row["verdict"] for row in tables["hypotheses"]}


# ---- verdicts ----


def test_a_true_claim_is_supported_its_reverse_refuted_and_an_arm_is_its_own_equal(paths):
    claims = [claim("sharp", "dull"), claim("dull", "sharp"), claim("sharp", "sharp")]
    tables = tables_of(paths, claims)
    assert verdicts(tables) == {"sharp-dull": "supported", "dull-sharp": "refuted", "sharp-sharp": "inconclusive"}
    forth, back, itself = tables["hypotheses"]
    assert forth["difference"] == pytest.approx(-back["difference"]) and forth["difference"] < 0  # lower is better
    assert (itself["difference"], itself["low"], itself["high"], itself["p"]) == (0, 0, 0, 1)


def test_one_replicate_decides_only_what_was_trained_elsewhere(paths):
    first, claims = paths[:: len(REPLICATES)], [claim("sharp", "dull")]
    (row,) = tables_of(first, claims, replicates=[1])["hypotheses"]
    assert row["high"] < 0 and row["p_holm"] < 0.05 and row["verdict"] == "inconclusive"
    assert verdicts(tables_of(first, claims, replicates=[1], pretrained=["sharp"])) == {"sharp-dull": "inconclusive"}
    assert verdicts(tables_of(first, claims, replicates=[1], pretrained=["sharp", "dull"])) == {
        "sharp-dull": "supported"
    }


def test_the_claimed_side_of_a_metric_that_is_better_when_higher(paths):
    # 3/4 and 1/2 are correct in every replicate: a difference of 1/4.
    tables = tables_of(paths, [claim("sharp", "poor", what=ACCURACY), claim("poor", "sharp", what=ACCURACY)])
    assert verdicts(tables) == {"sharp-poor": "supported", "poor-sharp": "refuted"}
    assert [row["difference"] for row in tables["hypotheses"]] == pytest.approx([0.25, -0.25])
    for row in tables["hypotheses"]:
        assert row["low"] < row["difference"] < row["high"] and row["n_replicates"] == 3
        assert row["n_replicates_needed"] is None  # no spread over replicates


def test_the_difference_is_the_mean_over_replicates_of_what_the_metrics_table_says(paths):
    (row,) = tables_of(paths, [claim("sharp", "dull")])["hypotheses"]
    evaluated = SimpleNamespace(scores=["msp"], selective_accuracies_percent=[], coverages_percent=[], ece_bins=15)
    evaluated.resampled_splits, evaluated.metrics = [], ["accuracy", "aurc"]
    values = {}
    for path in paths[:6]:
        found = predictions_by_split(table_files.read_table(path))
        numbers = metrics_table.evaluate(found, evaluated, {})
        place = ("test", "aurc")
        (values[path.stem],) = [number["value"] for number in numbers if (number["split"], number["metric"]) == place]
    assert row["difference"] == pytest.approx(np.mean([values[f"sharp-{s}"] - values[f"dull-{s}"] for s in REPLICATES]))


def test_a_number_that_does_not_exist_decides_nothing(paths):
    auroc = SimpleNamespace(metric="auroc", score="msp", split="test")  # of an arm without errors there is none
    tables = tables_of(paths, [claim("sharp", "perfect", what=auroc), claim("sharp", "dull", what=auroc)])
    missing, made = tables["hypotheses"]
    assert [missing[key] for key in ("difference", "low", "high", "p", "p_holm")] == [None] * 5
    assert missing["verdict"] == "inconclusive" and made["verdict"] == "supported"
    assert made["p_holm"] == pytest.approx(2 * made["p"])  # it counts in the family all the same


# ---- families ----


ELSEWHERE = {"replicates": [1], "pretrained": list(ARMS)}  # one replicate of each, whose p is that of the resamples


def test_p_is_corrected_within_the_family(paths):
    # 200 resamples, all on one side: p = 2 / 201. Holm multiplies the two smallest of three by 3 and by 2.
    claims = [claim("sharp", "dull"), claim("dull", "sharp"), claim("sharp", "sharp")]
    rows = tables_of(paths[:: len(REPLICATES)], claims, **ELSEWHERE)["hypotheses"]
    assert [row["p"] for row in rows] == pytest.approx([2 / 201, 2 / 201, 1])
    assert [row["p_holm"] for row in rows] == pytest.approx([6 / 201, 6 / 201, 1])


def test_the_verdict_needs_the_corrected_p(paths):
    # Alone, p = 2 / 201 is below 0.05; six times it is not.
    alone = tables_of(paths[:: len(REPLICATES)], [claim("sharp", "dull")], **ELSEWHERE)["hypotheses"]
    assert [row["verdict"] for row in alone] == ["supported"]
    rows = tables_of(paths[:: len(REPLICATES)], [claim("sharp", "dull")] * 6, **ELSEWHERE)["hypotheses"]
    assert [row["verdict"] for row in rows] == ["inconclusive"] * 6


def test_the_families_are_studies_data_sets_and_what_was_explored(paths):
    claims = [claim("sharp", "dull"), claim("dull", "sharp"), claim("sharp", "poor", study="other", what=ACCURACY)]
    studies = [study_of(), study_of("other", "sharp", ["poor"])]
    twice = [*paths[:: len(REPLICATES)]] * 2
    tables = tables_of(twice, claims, studies, [ACCURACY, AURC], datasets=("one", "two"), **ELSEWHERE)
    assert [row["p_holm"] for row in tables["hypotheses"]] == pytest.approx([4 / 201, 4 / 201, 2 / 201] * 2)
    assert [row["dataset"] for row in tables["hypotheses"]] == ["one"] * 3 + ["two"] * 3
    for dataset in ("one", "two"):
        for study, n in (("ranking", 4), ("other", 2)):
            explored = [r for r in tables["comparisons"] if (r["dataset"], r["study"]) == (dataset, study)][:n]
            assert [r["p_holm"] for r in explored] == paired_tests.holm([r["p"] for r in explored])


# ---- tables ----


def test_every_arm_is_compared_with_the_reference_and_claims_come_after(paths):
    tables = tables_of(paths, [claim("sharp", "poor")], comparisons=[ACCURACY, AURC])
    found = [(row["better"], row["than"], row["metric"]) for row in tables["comparisons"]]
    explored = [(arm, "dull", metric) for arm in ("sharp", "poor") for metric in ("accuracy", "aurc")]
    assert found == [*explored, ("sharp", "poor", "aurc")]
    (row,) = tables["hypotheses"]
    assert row["statement"] == "sharp beats poor on aurc" and row["hypothesis"] == "sharp-poor"
    assert {key: row[key] for key in tables["comparisons"][-1]} == tables["comparisons"][-1]


def test_rows_fit_their_schemas(paths, tmp_path):
    for name, rows in tables_of(paths, [claim("sharp", "dull")], comparisons=[ACCURACY]).items():
        assert all(set(row) == set(SCHEMAS[name].names) for row in rows)
        table_files.write_rows(tmp_path / name, rows, SCHEMAS[name])
        assert [row["difference"] for row in table_files.read_table(tmp_path / name, SCHEMAS[name]).to_pylist()]


# ---- files ----


def test_only_what_is_compared_is_read_and_only_once(paths, monkeypatch):
    opened, read = [], table_files.read_table
    monkeypatch.setattr(table_files, "read_table", lambda path: opened.append(path.stem) or read(path))
    tables_of(paths, [claim("sharp", "dull"), claim("dull", "sharp")], [study_of(arms=["sharp"])], [ACCURACY, AURC])
    assert sorted(opened) == sorted(f"{arm}-{replicate}" for arm in ("sharp", "dull") for replicate in REPLICATES)


def test_paths_are_of_data_sets_then_arms_then_replicates(paths):
    claims = [claim("sharp", "poor", what=ACCURACY)]
    settings = SimpleNamespace(
        datasets=["one", "two"], arms=list(ARMS), replicates=REPLICATES, studies=[], hypotheses=claims
    )
    settings.evaluation = EVALUATION
    swapped = paths[6:9] + paths[3:6] + paths[:3] + paths[9:]  # in the second data set, sharp and poor change places
    predictions = hypotheses.Arms([*paths, *swapped], settings)
    quantity = ("accuracy", "none", "test")
    for better, than in predictions.pairs("two", "poor", "sharp"):
        assert (better.of[quantity].value, than.of[quantity].value) == (0.75, 0.5)


def test_a_file_too_few_is_not_passed_over(paths):
    with pytest.raises(ValueError, match="shorter"):
        tables_of(paths[:-1])


def test_a_claim_that_lacks_images_is_warned_of(paths):
    """Of 120 images, perfect has no incorrect one, sharp and dull 30 each, and poor 60."""
    claims = [claim("sharp", "dull"), claim("perfect", "poor"), claim("perfect", "poor", what=ACCURACY)]
    found = {row["hypothesis"]: row["warning"] for row in tables_of(paths, claims[:2])["hypotheses"]}
    assert found["sharp-dull"] is None and "0 incorrect images" in found["perfect-poor"]
    assert tables_of(paths, claims[2:])["hypotheses"][0]["warning"] is None

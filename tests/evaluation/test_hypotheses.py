"""From predictions to verdicts: of made-up arms a true claim is supported, and its reverse refuted."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from helpers import SCHEMAS
from made_up_arms import ARMS, LABELS, N

from selfdoubt.data.datasets import Split
from selfdoubt.evaluation import compared_arms, families, hypotheses, metrics_table, prediction_tables
from selfdoubt.evaluation.arms import Arms
from selfdoubt.evaluation.predictions import predictions_by_split
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.comparisons import UNDISTINGUISHED
from selfdoubt.runtime.schemas.contrasts import CONTRASTS_SCHEMA

REPLICATES = [1, 2, 3, 4, 5]
EVALUATION = SimpleNamespace(ece_bins=15, n_resamples=200)
ACCURACY = SimpleNamespace(metric="accuracy", score="none", split="test")
AURC = SimpleNamespace(metric="aurc", score="msp", split="test")


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


def with_replicates(arms, replicates=REPLICATES, alone=()) -> list:
    """Arms as the settings of the job have them; alone: those of one replicate."""
    return [SimpleNamespace(name=arm, replicates=replicates[:1] if arm in alone else replicates) for arm in arms]


def arms_of(paths: list, arms: list, **settings) -> Arms:
    known = {"dataset": "d", "arms": with_replicates(arms, alone=("p", "q")), "evaluation": EVALUATION}
    wanted = {arm: [("accuracy", "none", "test")] for arm in arms}
    return Arms(paths, SimpleNamespace(**known | settings), wanted)


def test_arms_of_one_replicate_are_one_pair_and_stand_against_every_replicate_of_others(paths):
    n = len(REPLICATES)
    arms = arms_of([*paths[:n], paths[n], paths[2 * n]], ["sharp", "p", "q"])
    assert len(arms.pairs("p", "q", REPLICATES)) == 1
    pairs = arms.pairs("sharp", "p", REPLICATES)
    assert len(pairs) == n and pairs[0][1] is pairs[2][1] and pairs[0][0] is not pairs[2][0]


def claim(better, than, study: str = "ranking", what=AURC, **changes) -> SimpleNamespace:
    """A claim as the settings of the job have it."""
    better, than = (one if isinstance(one, list) else [one] for one in (better, than))
    known = {"study": study, "registered": True, "role": "secondary", "units": "replicates", "margin": None}
    known |= {"no_loss": [], "repeated_by": [], "datasets": None, "on_at_least": None}
    known |= {"name": f"{better[0]}-{than[0]}", "statement": f"{better[0]} beats {than[0]} on {what.metric}"}
    known |= {"pairs": [[one, other] for one in better for other in than]}
    return SimpleNamespace(**known | vars(what) | changes)


def study_of(name: str = "ranking", reference: str = "dull", arms: tuple = ("sharp", "poor")) -> SimpleNamespace:
    return SimpleNamespace(name=name, reference=reference, arms=list(arms), alpha=0.05)


RANKING = (study_of(),)


def tables_of(paths: list, claims=(), studies=RANKING, comparisons=(), datasets=("fashion",), **other) -> dict:
    replicates = other.pop("replicates", REPLICATES)
    settings = {"datasets": list(datasets), "arms": with_replicates(ARMS, replicates), "evaluation": EVALUATION}
    settings = SimpleNamespace(**settings | {"pretrained": [], "upper_bounds": []} | other)
    for study in studies:
        study.replicates = replicates
    settings.claims, settings.studies, settings.comparisons = list(claims), list(studies), list(comparisons)
    return hypotheses.decide(contrasts_of(paths, settings), settings)


def contrasts_of(paths: list, settings) -> list[dict]:
    """Rows of the tables of contrasts of all data sets, as they are read again; paths: data sets, then arms, then
    replicates.
    """
    n = sum(len(arm.replicates) for arm in settings.arms)
    rows = []
    for place, dataset in enumerate(settings.datasets):
        about = [claim for claim in settings.claims if dataset in (claim.datasets or settings.datasets)]
        own = SimpleNamespace(**vars(settings) | {"dataset": dataset, "overlap": 0.0, "claims": about})
        rows += compared_arms.compare_arms(paths[n * place : n * (place + 1)], own)
    return pa.Table.from_pylist(rows, schema=CONTRASTS_SCHEMA).to_pylist()


def verdicts(tables: dict) -> dict[str, str]:
    return {row["hypothesis"]: row["verdict"] for row in tables["hypotheses"]}


# ---- verdicts ----


def test_a_true_claim_is_supported_its_reverse_refuted_and_an_arm_is_identical_to_itself(paths):
    claims = [claim("sharp", "dull"), claim("dull", "sharp"), claim("sharp", "sharp")]
    tables = tables_of(paths, claims)
    assert verdicts(tables) == {"sharp-dull": "supported", "dull-sharp": "refuted", "sharp-sharp": "identical"}
    forth, back, itself = tables["hypotheses"]
    assert forth["difference"] == pytest.approx(-back["difference"]) and forth["difference"] < 0  # lower is better
    assert forth["p_holm"] == pytest.approx(2 * forth["p"])  # of two: what is identical is in no family
    assert itself["difference"] == 0 and itself["p"] is None and itself["low"] is None


@pytest.mark.parametrize("pair", [("perfect", "flawless"), ("sharp", "shifted")])
@pytest.mark.parametrize("what", [ACCURACY, AURC])
def test_arms_that_no_image_distinguishes_are_not_identical(paths, pair, what):
    other = claim("sharp", "poor", what=what)
    one, itself, made = rows_of(tables_of(paths, [claim(*pair, what=what), claim(pair[0], pair[0], what=what), other]))
    assert one["verdict"] == "inconclusive" and one["difference"] == 0 and one["reason"] == UNDISTINGUISHED
    assert one["p"] is None and one["low"] is None and itself["verdict"] == "identical"
    assert made["p_holm"] == pytest.approx(2 * made["p"])  # the open claim counts in the family


def test_arms_of_the_same_predicted_classes_are_identical_in_accuracy_alone(paths):
    rows = rows_of(tables_of(paths, [claim("sharp", "dull", what=what, name=what.metric) for what in (ACCURACY, AURC)]))
    assert [row["verdict"] for row in rows] == ["identical", "supported"]


def one_replicate(paths: list) -> list:
    return paths[:: len(REPLICATES)]


def test_one_replicate_decides_only_what_was_trained_elsewhere(paths):
    first, claims = one_replicate(paths), [claim("sharp", "dull")]
    (row,) = tables_of(first, claims, replicates=[1])["hypotheses"]
    assert row["high"] < 0 and row["p_holm"] < 0.05 and row["verdict"] == "inconclusive"
    assert verdicts(tables_of(first, claims, replicates=[1], pretrained=["sharp"])) == {"sharp-dull": "inconclusive"}
    assert verdicts(tables_of(first, claims, replicates=[1], pretrained=["sharp", "dull"])) == {
        "sharp-dull": "supported"
    }


def test_below_five_replicates_nothing_is_decided(paths):
    four = [path for i, path in enumerate(paths) if i % 5 < 4]
    (row,) = tables_of(four, [claim("sharp", "dull")], replicates=REPLICATES[:4])["hypotheses"]
    assert row["p_holm"] < 0.05 and row["verdict"] == "inconclusive"


def test_the_claimed_side_of_a_metric_that_is_better_when_higher(paths):
    # 3/4 and 1/2 are correct in every replicate: a difference of 1/4.
    tables = tables_of(paths, [claim("sharp", "poor", what=ACCURACY), claim("poor", "sharp", what=ACCURACY)])
    assert verdicts(tables) == {"sharp-poor": "supported", "poor-sharp": "refuted"}
    assert [row["difference"] for row in tables["hypotheses"]] == pytest.approx([0.25, -0.25])
    for row in tables["hypotheses"]:
        assert row["low"] < row["difference"] < row["high"] and row["n_replicates"] == 5


def test_the_difference_is_the_mean_over_replicates_of_the_metrics_table(paths):
    (row,) = tables_of(paths, [claim("sharp", "dull")])["hypotheses"]
    evaluated = SimpleNamespace(scores=["msp"], selective_accuracies_percent=[], coverages_percent=[], ece_bins=15)
    evaluated.resampled_splits, evaluated.metrics = [], ["accuracy", "aurc"]
    values = {}
    for path in paths[:10]:
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


def test_what_is_within_the_margin_is_negligible_and_what_is_small_but_there_is_reported_so(paths):
    wide = claim("sharp", "dull", margin=10.0)
    assert verdicts(tables_of(paths, [wide])) == {"sharp-dull": "supported, smaller than the margin"}
    alike = {"sharp-dull": "negligible"}
    assert verdicts(tables_of(paths, [claim("dim", "dull", margin=10.0, name="sharp-dull")])) == alike
    (row,) = tables_of(paths, [claim("dim", "dull")])["hypotheses"]
    assert row["margin"] == pytest.approx(0.05 * 0.25, rel=0.3)  # of an AURC at random confidence: the error rate
    assert row["verdict"] == "inconclusive" and row["n_replicates_negligible"] is None  # 120 images are too few
    (row,) = tables_of(paths, [claim("dim", "dull", margin=0.048)])["hypotheses"]
    assert row["verdict"] == "inconclusive" and row["n_replicates_negligible"] > 5
    (row,) = tables_of(paths, [wide])["hypotheses"]  # of every claim, since it belongs to the margin
    assert row["n_replicates_negligible"] == 5 and row["n_replicates_needed"] is None


def test_a_difference_of_augrc_is_split_into_accuracy_and_ranking(paths):
    augrc = SimpleNamespace(metric="augrc", score="msp", split="test")
    rows = tables_of(paths, comparisons=[augrc])["comparisons"]
    for row in rows:
        assert row["accuracy_part"] + row["ranking_part"] == pytest.approx(row["difference"])
    sharp, poor = rows
    assert sharp["accuracy_part"] == pytest.approx(0, abs=1e-12)  # the same predicted classes
    # AUROC of sharp is 1: its AUGRC is e² / 2, and the ranking part e (1 - e) (AUROC of dull - 1)
    assert sharp["ranking_part"] < 0 < poor["accuracy_part"]


def test_a_claim_by_msp_is_repeated_by_other_scores(paths):
    tables = tables_of(paths, [claim("sharp", "dull", repeated_by=["margin"])])
    own, repeated, _ = tables["comparisons"]
    assert not own["repeats"] and repeated["repeats"] and repeated["score"] == "margin"
    assert repeated["hypothesis"] == own["hypothesis"] == "sharp-dull" and repeated["p_holm"] is None


# ---- compound claims ----


def rows_of(tables: dict) -> list[dict]:
    return tables["hypotheses"]


def test_better_than_each_of_several_takes_the_largest_p(paths):
    both = claim("sharp", ["dull", "dim"])
    (row,) = rows_of(tables_of(paths, [both]))
    alone = [rows_of(tables_of(paths, [claim("sharp", than)]))[0]["p"] for than in ("dull", "dim")]
    assert row["p_holm"] == pytest.approx(max(alone)) and row["verdict"] == "supported" and row["n_components"] == 2
    (row,) = rows_of(tables_of(paths, [claim("dull", ["poor", "sharp"])]))
    against = rows_of(tables_of(paths, [claim("dull", "sharp")]))[0]
    assert row["verdict"] == "refuted"  # better than one, worse than the other, whose numbers are shown
    assert row["difference"] == against["difference"]


def test_at_no_loss_needs_the_other_metric_to_be_kept(paths):
    def loss(margin):
        return [SimpleNamespace(metric="accuracy", score="none", split=None, margin=margin)]

    (kept,) = rows_of(tables_of(paths, [claim("sharp", "dull", no_loss=loss(None))]))
    assert kept["verdict"] == "supported" and kept["p_no_loss"] is None  # the same predicted classes
    auroc = SimpleNamespace(metric="auroc", score="msp", split="test")
    worse = claim("sharp", "poor", what=auroc, no_loss=loss(0.3))
    assert verdicts(tables_of(paths, [worse])) == {"sharp-poor": "supported"}
    reverse = claim("poor", "dull", what=ACCURACY, no_loss=[SimpleNamespace(**vars(auroc), margin=0.001)])
    assert verdicts(tables_of(paths, [reverse])) == {"poor-dull": "refuted"}


def test_on_at_least_u_of_k_data_sets(paths):
    n = len(REPLICATES)
    swapped = paths[n : 2 * n] + paths[:n] + paths[2 * n :]  # sharp and dull change places
    data = {"datasets": ("a", "b", "c")}
    (row,) = rows_of(tables_of([*paths, *paths, *swapped], [claim("sharp", "dull", on_at_least=2)], **data))
    (alone,) = rows_of(tables_of(paths, [claim("sharp", "dull")]))
    assert row["verdict"] == "supported" and row["p_holm"] == pytest.approx(2 * alone["p"])  # 2 of 3: 2 p_(2)
    assert row["dataset"] == "a, b, c" and row["n_components"] == 3
    (row,) = rows_of(tables_of([*paths, *swapped, *swapped], [claim("sharp", "dull", on_at_least=2)], **data))
    assert row["verdict"] == "refuted"
    (row,) = rows_of(tables_of([*paths, *paths, *swapped], [claim("sharp", "dull", on_at_least=3)], **data))
    assert row["verdict"] != "supported"


def test_networks_take_the_place_of_replicates(paths):
    pairs = [["sharp", "dull"], ["sharp", "dim"], ["sharp", "poor"]]
    networks = claim("sharp", "dull", units="networks", pairs=pairs)
    (row,) = rows_of(tables_of(paths, [networks]))
    assert row["n_replicates"] == 3 and row["n_components"] == 1 and row["verdict"] == "inconclusive"  # too few
    assert row["than"] == "dull, dim, poor"
    five = claim("sharp", "dull", units="networks", pairs=[*pairs, *pairs][:5])
    assert verdicts(tables_of(paths, [five])) == {"sharp-dull": "supported"}


# ---- families ----


ELSEWHERE = {"replicates": [1], "pretrained": list(ARMS)}  # one replicate of each, whose p is that of the images


def test_p_is_corrected_within_the_family(paths):
    claims = [claim("sharp", "dull"), claim("dull", "sharp"), claim("dim", "dull")]
    rows = rows_of(tables_of(one_replicate(paths), claims, **ELSEWHERE))
    assert [row["p_holm"] for row in rows] == pytest.approx(families.holm([row["p"] for row in rows]))
    assert rows[0]["p_holm"] == pytest.approx(3 * rows[0]["p"])
    for row in rows:
        assert (row["low_family"] <= 0 <= row["high_family"]) == (row["p_holm"] >= 0.05)


def test_the_primary_claim_is_tested_at_the_whole_level_and_is_in_no_family(paths):
    claims = [claim("sharp", "dull", role="primary"), claim("sharp", "dim"), claim("sharp", "poor")]
    rows = rows_of(tables_of(paths, claims))
    assert rows[0]["p_holm"] == rows[0]["p"] and rows[0]["level"] == 0.05
    assert [row["p_holm"] for row in rows[1:]] == pytest.approx(families.holm([row["p"] for row in rows[1:]]))


def test_manipulation_checks_are_tested_each_by_itself_and_come_first(paths):
    claims = [claim("sharp", "dull"), claim("sharp", "poor", role="check"), claim("sharp", "dim", role="check")]
    rows = rows_of(tables_of(paths, claims))
    assert [row["role"] for row in rows] == ["check", "check", "secondary"]
    assert all(row["p_holm"] == row["p"] for row in rows)


def test_rounds_share_the_level(paths):
    study = study_of()
    study.alpha = 1e-9
    (row,) = rows_of(tables_of(paths, [claim("sharp", "poor", what=ACCURACY)], [study]))
    assert row["verdict"] == "inconclusive" and row["alpha"] == 1e-9


def test_the_families_are_studies_and_what_was_explored_on_a_data_set(paths):
    claims = [claim("sharp", "dull"), claim("dull", "sharp"), claim("sharp", "poor", study="other", what=ACCURACY)]
    studies = [study_of(), study_of("other", "sharp", ["poor"])]
    twice = [*one_replicate(paths)] * 2
    tables = tables_of(twice, claims, studies, [ACCURACY, AURC], datasets=("one", "two"), **ELSEWHERE)
    p = [row["p"] for row in tables["hypotheses"]]
    expected = [*families.holm(p[:4]), *families.holm(p[4:])]  # two claims, or one, on two data sets
    assert [row["p_holm"] for row in tables["hypotheses"]] == pytest.approx(expected)
    for dataset in ("one", "two"):
        for study, n in (("ranking", 4), ("other", 2)):
            explored = [r for r in tables["comparisons"] if (r["dataset"], r["study"]) == (dataset, study)][:n]
            kept = [r for r in explored if r["p_holm"] is not None]  # not of equal accuracy, and of no claim
            assert [r["p_holm"] for r in kept] == families.holm([r["p"] for r in kept])


@pytest.mark.parametrize("arms", [("sharp", "dull"), ("dull", "sharp")])
def test_what_a_claim_is_about_is_in_no_family_of_what_was_explored(paths, arms):
    tables = tables_of(paths, [claim(*arms)], comparisons=[ACCURACY, AURC])
    explored = {(row["better"], row["metric"]): row for row in tables["comparisons"][:4]}
    assert explored["sharp", "aurc"]["p"] is not None and explored["sharp", "aurc"]["p_holm"] is None
    kept = [explored["poor", metric] for metric in ("accuracy", "aurc")]
    assert [row["p_holm"] for row in kept] == families.holm([row["p"] for row in kept])


def test_an_upper_bound_is_shown_and_counts_in_no_family(paths):
    tables = tables_of(paths, comparisons=[AURC], upper_bounds=["sharp"])
    bound, other = tables["comparisons"]
    assert bound["better"] == "sharp" and bound["p"] is not None and bound["p_holm"] is None
    assert other["p_holm"] == pytest.approx(other["p"])


# ---- tables ----


def test_every_arm_is_compared_with_the_reference_and_claims_come_after(paths):
    tables = tables_of(paths, [claim("sharp", "poor")], comparisons=[ACCURACY, AURC])
    found = [(row["better"], row["than"], row["metric"]) for row in tables["comparisons"]]
    explored = [(arm, "dull", metric) for arm in ("sharp", "poor") for metric in ("accuracy", "aurc")]
    assert found == [*explored, *(("sharp", "poor", metric) for metric in ("aurc", "augrc"))]
    (row,) = tables["hypotheses"]
    assert row["statement"] == "sharp beats poor on aurc" and row["hypothesis"] == "sharp-poor"
    of_claim = tables["comparisons"][-2]
    assert not of_claim.pop("repeats") and {key: row[key] for key in of_claim} == of_claim


def test_arms_whose_images_of_val_are_not_attacked_are_not_compared_there(paths):
    on_val = SimpleNamespace(metric="aurc", score="msp", split="val")
    for attacked, expected in ({"sharp"}, {"poor"}), ({"dull"}, set()):  # dull is the reference
        rows = tables_of(paths, comparisons=[AURC, on_val], attacked=sorted(attacked))["comparisons"]
        assert {row["better"] for row in rows if row["split"] == "val"} == expected
        assert {row["better"] for row in rows if row["split"] == "test"} == {"sharp", "poor"}


def test_rows_fit_their_schemas(paths, tmp_path):
    for name, rows in tables_of(paths, [claim("sharp", "dull")], comparisons=[ACCURACY]).items():
        assert all(set(row) == set(SCHEMAS[name].names) for row in rows)
        table_files.write_rows(tmp_path / name, rows, SCHEMAS[name])
        read = table_files.read_table(tmp_path / name, SCHEMAS[name]).to_pylist()
        assert rows and [row["difference"] for row in read] == [row["difference"] for row in rows]


# ---- files ----


def test_only_what_is_compared_is_read_and_only_once(paths, monkeypatch):
    opened, read = [], table_files.read_table
    monkeypatch.setattr(table_files, "read_table", lambda path: opened.append(path.stem) or read(path))
    tables_of(paths, [claim("sharp", "dull"), claim("dull", "sharp")], [study_of(arms=["sharp"])], [ACCURACY, AURC])
    assert sorted(opened) == sorted(f"{arm}-{replicate}" for arm in ("sharp", "dull") for replicate in REPLICATES)


def test_paths_are_of_arms_then_replicates(paths):
    n = len(REPLICATES)
    swapped = paths[2 * n : 3 * n] + paths[n : 2 * n] + paths[:n] + paths[3 * n :]  # sharp and poor change places
    predictions = arms_of(swapped, list(ARMS))
    quantity = ("accuracy", "none", "test")
    for better, than in predictions.pairs("poor", "sharp", REPLICATES):
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


def test_a_claim_about_a_ranking_is_split_into_accuracy_and_ranking_by_augrc_whatever_its_reference(paths):
    tables = tables_of(paths, [claim("sharp", "poor")])
    (split,) = [row for row in tables["comparisons"] if row["metric"] == "augrc"]
    assert (
        split["repeats"]
        and split["hypothesis"] == "sharp-poor"
        and (split["better"], split["than"]) == ("sharp", "poor")
    )
    assert (
        split["accuracy_part"] + split["ranking_part"] == pytest.approx(split["difference"])
        and split["ranking_part"] < 0
    )
    for what in (ACCURACY, SimpleNamespace(metric="nll", score="msp", split="test")):  # no rankings
        found = tables_of(paths, [claim("sharp", "poor", what=what)])["comparisons"]
        assert "augrc" not in {row["metric"] for row in found}

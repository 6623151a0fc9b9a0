"""Files as spreadsheets, other tools and papers write them: separators, ids, rounded probabilities, confidences."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from foreign_files import DRAWS, LABELS, LOGITS, OTHER, C, N, run, wide, write

from selfdoubt.evaluation import calibration, rankings
from selfdoubt.external import rounding
from selfdoubt.external.columns import find_columns
from selfdoubt.external.files import read
from selfdoubt.runtime.errors import UserError


@pytest.mark.parametrize(("sep", "decimal"), [(";", ","), (";", "."), ("\t", ","), ("\t", "."), ("|", "."), (",", ",")])
def test_separators_and_decimal_marks_are_seen(tmp_path, sep, decimal):
    """With commas for both, the numbers are in quotes, as pandas writes them."""
    wide().to_csv(tmp_path / "a.csv", index=False, sep=sep, decimal=decimal)
    found = read(tmp_path / "a.csv")
    np.testing.assert_array_equal(found.logits, LOGITS)
    np.testing.assert_array_equal(found.labels, LABELS)


# ---- ids ----

IDS = {
    "numbers": DRAWS.permutation(N),
    "texts": np.array([f"cat/{i}.png" for i in DRAWS.permutation(N)]),
    "large": DRAWS.permutation(N) + 2**40,
}


def with_ids(path, logits, ids, order=slice(None), labels=LABELS, column="image_id"):
    frame = wide(logits, labels).assign(**{column: ids}).iloc[order]
    return frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)


@pytest.mark.parametrize("kind", IDS)
def test_images_in_another_order_are_matched_by_their_ids(tmp_path, capsys, kind):
    ids, order = IDS[kind], DRAWS.permutation(N)
    with_ids(tmp_path / "a.csv", LOGITS, ids)
    with_ids(tmp_path / "b.csv", OTHER, ids)
    with_ids(tmp_path / "c.parquet", OTHER, ids, order, column="filename" if kind == "texts" else "id")
    words = ["--reference", "a", "--format", "json", "--scores", "msp", "--resamples", "100"]
    found = [
        json.loads(run(capsys, tmp_path / "a.csv", tmp_path / other, *words)[1]) for other in ("b.csv", "c.parquet")
    ]
    for b, c in zip(*found, strict=True):
        assert b | {"name": ""} == c | {"name": ""}
    assert any(row["p"] for row in found[0])


@pytest.mark.parametrize("column", ["file_path", "img_name", "index", "idx", "uid"])
def test_ids_are_known_by_their_usual_names(tmp_path, capsys, column):
    labels = np.sort(LABELS)
    within = np.lexsort((DRAWS.permutation(N), labels))  # another order that does not show in the labels
    for name, order in (("a.csv", slice(None)), ("b.csv", within)):
        with_ids(tmp_path / name, LOGITS, IDS["numbers"], order, labels, column)
    words = ["--reference", "a", "--format", "json", "--scores", "msp", "--metrics", "aurc", "--resamples", "100"]
    *_, b = json.loads(run(capsys, tmp_path / "a.csv", tmp_path / "b.csv", *words)[1])
    assert b["difference"] == 0 and b["difference_low"] is None  # equal on every image, so no interval


def test_a_number_of_the_row_is_an_id_where_there_is_no_other(tmp_path):
    found = find_columns(tmp_path / "a.csv", ["index", "id", "label", "logit_0"], "label", labelled=True)
    assert found.image_id == "id"


@pytest.mark.parametrize("kind", IDS)
def test_other_ids_are_refused_with_an_example(tmp_path, capsys, kind):
    ids = IDS[kind]
    with_ids(tmp_path / "a.csv", LOGITS, ids)
    with_ids(tmp_path / "b.csv", OTHER, np.append(ids[:-1], "z9" if kind == "texts" else 99999))
    code, _, err = run(capsys, tmp_path / "a.csv", tmp_path / "b.csv", "--reference", "a")
    assert code == 2 and f"image_id {ids[-1]} is in one and not in the other" in err
    code, _, err = run(capsys, tmp_path / "a.csv", tmp_path / "b.csv")
    assert code == 0 and f"image_id {ids[-1]}" in err  # a warning
    write(tmp_path / "without.csv", "csv", OTHER)
    code, _, err = run(capsys, tmp_path / "a.csv", tmp_path / "without.csv", "--reference", "a")
    assert code == 2 and "one has image ids and the other has none" in err


def test_ids_of_an_archive_put_its_rows_in_order(tmp_path):
    ids = IDS["texts"]
    np.savez(tmp_path / "a.npz", logits=LOGITS.astype("f4"), label=LABELS, image_id=ids)
    found, order = read(tmp_path / "a.npz"), np.argsort(ids)
    np.testing.assert_array_equal(found.logits, LOGITS.astype("f4")[order])
    np.testing.assert_array_equal(found.labels, LABELS[order])
    assert found.image_ids.tolist() == sorted(ids) and isinstance(found.logits, np.memmap)


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
def test_ids_that_are_missing_throughout_are_ignored_and_partly_missing_ones_refused(tmp_path, capsys, kind):
    path = tmp_path / f"a.{kind}"

    def given(ids):
        if kind == "npz":
            np.savez(path, logits=LOGITS, label=LABELS, image_id=np.array(ids, float))
        elif kind == "csv":
            wide().assign(image_id=ids).to_csv(path, index=False)
        else:
            pq.write_table(pa.table({"label": LABELS, "logits": list(LOGITS), "image_id": pa.array(ids)}), path)
        return read(path)

    assert given([None] * N).image_ids is None
    assert "'image_id' is empty in every row" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"row 1 .* has no image_id"):
        given([7, *[None] * (N - 1)])


# ---- probabilities ----


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("digits", "n_classes"), [(1, 3), (2, 10), (3, 3), (3, 100)])
def test_probabilities_may_be_rounded(tmp_path, digits, n_classes, dtype):
    draws = np.random.default_rng(1)
    p = draws.dirichlet(np.ones(n_classes), 200).round(digits).astype(dtype)
    assert np.abs(p.sum(1) - 1).max() > 1e-3
    np.savez(tmp_path / "a.npz", probabilities=p, label=p.argmax(1))
    found = read(tmp_path / "a.npz")
    assert found.of_probabilities and found.correct.all()
    np.savez(tmp_path / "b.npz", logits=p, label=p.argmax(1))
    with pytest.raises(UserError, match="are they probabilities"):
        read(tmp_path / "b.npz")
    p[3] *= 0.2
    np.savez(tmp_path / "a.npz", probabilities=p, label=np.zeros(200, int))
    with pytest.raises(UserError, match=r"row 3 .* sum to"):
        read(tmp_path / "a.npz")


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_log_probabilities_are_known_by_their_name(tmp_path, kind):
    logs = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    if kind == "npz":
        np.savez(tmp_path / "logs.npz", log_probabilities=logs, labels=LABELS)
    else:
        pq.write_table(pa.table({"log_probabilities": list(logs), "target": LABELS}), tmp_path / "logs.parquet")
    found = read(tmp_path / f"logs.{kind}")
    assert found.of_probabilities
    np.testing.assert_array_equal(found.logits, logs)
    np.savez(tmp_path / "wrong.npz", log_probabilities=logs + 1, label=LABELS)
    with pytest.raises(UserError, match=r"probabilities that sum to 2\.71828"):
        read(tmp_path / "wrong.npz")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_logarithm_of_a_probability_of_0_counts_as_the_probability_does(tmp_path, dtype):
    p = np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]], dtype)
    with np.errstate(divide="ignore"):
        np.savez(tmp_path / "logs.npz", log_probabilities=np.log(p), label=[0, 2])
    np.savez(tmp_path / "p.npz", probabilities=p, label=[0, 2])
    logs, of_p = (read(tmp_path / f"{name}.npz") for name in ("logs", "p"))
    assert logs.logits.dtype == dtype
    np.testing.assert_allclose(logs.logits, of_p.logits, rtol=1e-6)
    assert "1 of 2 labels have a probability of 0" in rounding.note(logs)


# ---- label, prediction and confidence ----

P = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
TOP, PREDICTED = P.max(1), LOGITS.argmax(1)
NAMES = [
    ("label", "prediction", "confidence"),
    ("true_label", "pred_label", "conf"),
    ("y_true", "y_pred", "score"),
    ("target", "pred", "max_prob"),
    ("ground_truth", "predicted_class", "msp"),
]


@pytest.mark.parametrize("kind", ["csv", "parquet", "npz"])
@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
def test_tables_without_logits_have_the_numbers_that_need_none(tmp_path, capsys, names, kind):
    columns = dict(zip(names, (LABELS, PREDICTED, TOP), strict=True))
    path = tmp_path / f"a.{kind}"
    if kind == "npz":
        np.savez(path, **columns)
    else:
        getattr(pd.DataFrame(columns), f"to_{kind}")(path, index=False)
    code, out, err = run(capsys, path, "--format", "json", "--resamples", "100")
    rows = {row["metric"]: row for row in json.loads(out)}
    correct = PREDICTED == LABELS
    assert (code, err) == (0, "")
    for name in ("auroc", "aurc", "e_aurc", "augrc"):
        assert rows[name.replace("_", "-")]["value"] == pytest.approx(getattr(rankings, name)(TOP, correct), abs=1e-12)
    for name in ("ece", "mce"):
        assert rows[name]["value"] == pytest.approx(getattr(calibration, name)(TOP, correct), abs=1e-12)
    assert rows["accuracy"]["value"] == correct.mean() and rows["ece"]["low"] is not None
    for name in ("nll", "brier", "ece-classwise"):
        assert rows[name]["value"] is None and "probabilities of all classes" in rows[name]["reason"]


def test_several_confidences_are_several_scores(tmp_path, capsys):
    classes = np.array(["cat", "dog", "owl", "yak"])
    columns = {"label": classes[LABELS], "pred": classes[PREDICTED], "fold": 0, "conf_a": TOP, "conf_b": TOP * 3 - 1}
    pd.DataFrame(columns | {"msp_ts": TOP}).to_csv(tmp_path / "a.csv", index=False)
    code, out, _ = run(capsys, tmp_path / "a.csv")
    assert code == 0 and out.splitlines()[1].split() == ["metric", "conf_a", "conf_b", "msp-ts"]
    assert "conf_b is no probability: its values reach from" in out
    code, out, _ = run(capsys, tmp_path / "a.csv", "--scores", "conf_b", "--metrics", "auroc")
    assert code == 0 and "conf_a" not in out
    write(tmp_path / "b.csv", "csv", LOGITS)
    code, out, _ = run(capsys, tmp_path / "a.csv", tmp_path / "b.csv", "--reference", "a", "--resamples", "100")
    assert code == 0 and "identical" in out  # accuracy, of the same predictions


def test_labels_that_are_numbers_keep_them_beside_predictions_that_are_names(tmp_path):
    labels = np.array([2, 10, 2, 11])
    for name, predicted in (("a", [2, 10, 11, 11]), ("b", ["2", "none", "10", "unsure"])):
        frame = pd.DataFrame({"label": labels, "pred": predicted, "conf": TOP[:4]})
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    plain, mixed = (read(tmp_path / f"{name}.csv") for name in ("a", "b"))
    np.testing.assert_array_equal(mixed.labels, plain.labels)
    assert mixed.predicted.tolist() == [2, 12, 10, 13]


@pytest.mark.parametrize("name", ["softmax_entropy", "error_prob", "Anomaly score", "target_prob"])
def test_what_grows_with_doubt_or_knows_the_label_is_no_confidence(tmp_path, name):
    frame = pd.DataFrame({"label": LABELS, "pred": PREDICTED, name: 1 - TOP})
    frame.to_csv(tmp_path / "alone.csv", index=False)
    with pytest.raises(UserError, match=f"nor a column 'confidence'; it has .*'{name}'"):
        read(tmp_path / "alone.csv")
    frame.assign(conf=TOP, entropy=TOP - 1).to_csv(tmp_path / "beside.csv", index=False)
    assert [*read(tmp_path / "beside.csv").signals] == ["conf", "entropy"]


def test_confidences_detect_other_images(tmp_path, capsys):
    pd.DataFrame({"label": LABELS, "pred": PREDICTED, "conf": TOP}).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame({"conf": TOP / 2}).to_csv(tmp_path / "ood.csv", index=False)
    _, out, _ = run(capsys, tmp_path / "a.csv", "--ood", tmp_path / "ood.csv", "--format", "json")
    rows = {row["metric"]: row["value"] for row in json.loads(out)}
    assert rows["ood-auroc"] == rankings.auroc(np.append(TOP, TOP / 2), np.repeat([True, False], N))
    write(tmp_path / "logits.csv", "csv")
    code, _, err = run(capsys, tmp_path / "a.csv", "--ood", tmp_path / "logits.csv")
    assert code == 2 and f"has {C} classes and" in err and "no logits; give predictions of one model" in err


def test_areas_of_risk_are_printed_in_thousandths(tmp_path, capsys):
    path = write(tmp_path / "a.csv", "csv")
    (row,) = json.loads(run(capsys, path, "--scores", "msp", "--metrics", "aurc", "--format", "json")[1])
    _, out, _ = run(capsys, path, "--scores", "msp", "--metrics", "aurc")
    assert f"aurc ×10³  {1000 * row['value']:.2f}" in out

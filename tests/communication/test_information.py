"""The information test: gains that say which class is correct are found informative, noise is not."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import log_expit
from small_groups import SPLITS, network
from small_training import run_script

from selfdoubt.communication import decisions, information, kept_gains, logistic
from selfdoubt.communication.kept_gains import KeptGains
from selfdoubt.evaluation.prediction_tables import write_predictions
from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.evaluation.undefined import Undefined
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.gains import GAINS_SCHEMA
from selfdoubt.runtime.schemas.information import INFORMATION_SCHEMA

SETTINGS = SimpleNamespace(penalty=[0.01, 1.0], n_folds=3, margin=0.02)
IDENTITY = {"dataset": "d", "group": "g", "protocol": "p"}


def split_of(n: int, seed: int, informative: bool) -> tuple[list[Predictions], KeptGains]:
    """Two members that know only that it is class 0 or 1, and a gain that knows which, or that is noise."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 2, n)
    members = [
        Predictions(np.hstack([draws.normal(size=(n, 2)) / 10, np.full((n, 1), -9.0)]), labels, image_ids=np.arange(n))
        for _ in range(2)
    ]
    kept = np.arange(0, n, 2)
    candidates = np.tile([1, 0], (len(kept), 1))
    gains = draws.normal(size=(len(kept), 2, 2))
    if informative:
        gains[:, :, 0] += candidates == labels[kept][:, None]
    return members, KeptGains(kept, candidates, gains)


def measured(seed: int, informative: bool, n: int = 400, n_val: int = 200) -> information.Measured:
    parts = {"val": split_of(n_val, 2 * seed + 1, informative), "test": split_of(n, 2 * seed, informative)}
    members, kept = ({split: part[i] for split, part in parts.items()} for i in (0, 1))
    return information.measure(members, kept, SETTINGS)


def test_gains_that_know_the_class_are_informative_and_noise_is_negligible():
    for informative, verdict in ((True, "informative"), (False, "negligible")):
        found = {n: measured(n, informative) for n in range(1, 7)}
        *each, over_all = information.rows_of(found, IDENTITY, 0.02)
        assert over_all["verdict"] == verdict and over_all["replicate"] is None and len(each) == 6
        assert (over_all["high"] < -0.05) == informative
        assert over_all["difference"] == pytest.approx(np.mean([row["difference"] for row in each]))
        assert all(row["low"] < row["difference"] < row["high"] and row["verdict"] is None for row in each)


def test_the_image_error_of_one_replicate_by_hand():
    found = measured(1, True)
    change = found.with_gains - found.without
    row = information.rows_of({1: found}, IDENTITY, 0.02)[0]
    half = 1.972 * change.std() / np.sqrt(200)  # t of 199 degrees of freedom
    assert row["high"] - row["difference"] == pytest.approx(half, rel=1e-3) and row["n"] == 200


def test_the_label_of_an_image_changes_nothing_of_its_own_fit():
    """Its NLL before is that of p, after that of 1 - p, of one p: its fold is predicted by fits without it."""
    members, kept = split_of(200, 4, True)
    usual = information._design(members, kept)
    fold = np.arange(100) % 3
    other = usual[3].copy()
    other[0] = 1 - other[0]
    features = np.hstack([usual[1], usual[2]])
    one, two = (information._out_of_fold(usual[0], features, t, fold, SETTINGS)[0] for t in (usual[3], other))
    assert np.exp(-one) + np.exp(-two) == pytest.approx(1, abs=1e-9)


def test_the_fit_is_at_the_minimum_of_its_loss():
    draws = np.random.default_rng(0)
    offset, features, labels = draws.normal(size=50), 3 * draws.normal(size=(50, 4)), draws.integers(0, 2, 50)
    weights = logistic.fit([offset, features], labels, 0.1)

    def loss(w: np.ndarray) -> float:
        odds = offset + features @ w
        return -np.where(labels == 0, log_expit(odds), log_expit(-odds)).mean() + 0.05 * w @ w

    for step in 1e-4 * np.eye(4):
        assert abs(loss(weights + step) - loss(weights - step)) / 2e-4 < 1e-6
    np.testing.assert_allclose(
        logistic.fit([offset, features], labels, 0.1, 50 * draws.normal(size=4)), weights, atol=1e-6
    )


def test_images_whose_label_is_neither_class_are_not_evaluated_and_few_are_a_reason():
    members, kept = split_of(200, 0, True)
    members = [
        Predictions(one.logits, np.where(one.image_ids < 100, 2, one.labels), image_ids=one.image_ids)
        for one in members
    ]
    assert len(information._design(members, kept)[3]) == 50
    with pytest.raises(Undefined, match=r"\d+ images of test are contested .*3 folds"):
        measured(1, True, n=6)
    rows = information.rows_of({1: Undefined("too few"), 2: measured(2, True, n_val=0)}, IDENTITY, 0.02)
    assert [row["reason"] for row in rows] == ["too few", None, None] and rows[2]["verdict"] == "inconclusive"


def test_the_script_reads_what_a_decision_keeps(tmp_path):
    """Of persuasion and of contested views, whose gains come back as they were but for float16."""
    models = {"one": network(1), "two": network(2)}
    splits = {
        name: SimpleNamespace(**vars(split), image_ids=7 + np.arange(len(split.labels)), ood_classes=None)
        for name, split in SPLITS.items()
    }
    paths = [tmp_path / f"{name}.parquet" for name in models]
    for (_, model), path in zip(models.items(), paths, strict=True):
        clean = {name: decisions.predict_clean({"m": model}, split)["m"] for name, split in splits.items()}
        write_predictions(path, splits, clean)
    message = {"method": "persuasion", "message": "random-sign", "epsilon_255": 8, "n_candidates": 3}
    message |= {"contested_below": 0.99, "gains_relative_to": "none", "precision": "float32"}
    viewed = {"method": "contested-views", "where": "contested", "contested_below": 0.99, "views": "shifts"}
    viewed |= {"n_views": 2, "shift_px": 1, "flip": True, "penalty": [0.1], "n_folds": 3}
    for settings, n_gains in ((message, 2), (viewed, 2)):  # of two members by the other's messages, by their own views
        kept = decisions.decide(models, splits, SimpleNamespace(**settings), 0).kept
        paths.append(tmp_path / f"{settings['method']}.parquet")
        table_files.write_table(paths[-1], kept_gains.to_table(kept, splits), GAINS_SCHEMA)
        again = kept_gains.from_table(table_files.read_table(paths[-1], GAINS_SCHEMA), "test", splits["test"].image_ids)
        assert again.gains.shape == (len(kept["test"].rows), 2, n_gains)
        np.testing.assert_array_equal(again.rows, kept["test"].rows)
        np.testing.assert_array_equal(again.candidates, kept["test"].candidates)
        np.testing.assert_allclose(again.gains, kept["test"].gains, rtol=1e-3, atol=1e-4)
    job = {"dataset": "d", "group": "g", "replicate": 1, "n_members": 2, "protocols": ["persuasion", "contested-views"]}
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    settings = {"groups": [job], "information": vars(SETTINGS) | {"n_folds": 2}}
    files = {"files": f"@{tmp_path / 'list'}", "output": tmp_path / "information.parquet"}
    run_script("measure_information", None, settings, **files)
    rows = table_files.read_table(tmp_path / "information.parquet", INFORMATION_SCHEMA).to_pylist()
    assert [(row["protocol"], row["replicate"]) for row in rows if row["reason"] is None] == [
        (protocol, replicate) for protocol in ("persuasion", "contested-views") for replicate in (1, None)
    ]


def test_no_gains_are_an_empty_table():
    table = kept_gains.to_table({}, {})
    assert table.schema.equals(GAINS_SCHEMA) and len(table) == 0
    assert len(kept_gains.from_table(table, "val", np.arange(3)).rows) == 0

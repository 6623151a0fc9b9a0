"""Protocols compared with the predictions of their members."""

import numpy as np
import pyarrow as pa
import pytest
from small_training import run_script

from selfdoubt.communication import accounting
from selfdoubt.runtime import table_files
from selfdoubt.runtime.schemas.groups import GROUPS_SCHEMA

# Six images of class 0 but the last: both members are correct, one is, none is, both make the same error, …
LABELS = np.array([0, 0, 0, 0, 0, 1])
PREDICTED = np.array([[0, 0, 1, 1, 0, 1], [0, 1, 2, 1, 0, 0]])
MEAN = np.array([0, 1, 1, 1, 0, 0])
MEMBERS = accounting.Members(PREDICTED, LABELS, MEAN)
METADATA = {"weight": -0.5, "costs_per_image": {"forwards": 4.5, "backwards": 1.5}, "replicate": 1}


def numbers(rows: list[dict]) -> dict:
    return {row["quantity"]: (row["value"], row["n"]) for row in rows}


def test_fixed_broken_and_disagreement_by_hand():
    # The mean is correct on images 0 and 4; the protocol on 0, 1 and 5, so 1 and 5 are fixed and 4 is broken.
    found = numbers(accounting.compare(MEMBERS, np.array([0, 0, 1, 1, 2, 1]), METADATA))
    assert found == {
        "accuracy": (3 / 6, 6),
        "accuracy-disagreed": (2 / 3, 3),  # of images 1, 2 and 5
        "fixed": (2, 6),
        "broken": (1, 6),
        "weight": (-0.5, None),
        "forwards": (4.5, 6),
        "backwards": (1.5, 6),
    }


def test_the_mean_probability_fixes_and_breaks_nothing():
    found = numbers(accounting.compare(MEMBERS, MEAN, {"costs_per_image": METADATA["costs_per_image"]}))
    assert found["fixed"] == found["broken"] == (0, 6)
    assert found["accuracy"] == (2 / 6, 6) and "weight" not in found


def test_the_oracle_is_correct_wherever_a_member_is_and_the_best_member_is_best_on_val():
    val = accounting.Members(np.array([[1, 1, 0], [0, 0, 0]]), np.array([0, 0, 0]), np.zeros(3, int))
    found = {name: numbers(rows) for name, rows in accounting.references(MEMBERS, val).items()}
    assert found["oracle-selector"] == {"accuracy": (4 / 6, 6), "accuracy-disagreed": (2 / 3, 3)}
    assert found["best-member"]["accuracy"] == (2 / 6, 6)  # the second, though the first is better here
    assert found["best-member"]["forwards"] == (1, 6)


def test_members_that_agree_everywhere_have_no_accuracy_where_they_disagree():
    same = accounting.Members(PREDICTED[:1].repeat(2, 0), LABELS, PREDICTED[0])
    [row] = [row for row in accounting.compare(same, MEAN, METADATA) if row["quantity"] == "accuracy-disagreed"]
    assert (row["value"], row["n"], row["reason"]) == (None, 0, "no samples")


def test_predictions_come_from_logits_and_the_mean_from_probabilities():
    # Probabilities of class 0: 0.99 and 0.3 have a mean of 0.645, though the members disagree.
    logits = [np.log([[0.99, 0.01]]), np.log([[0.3, 0.7]])]
    found = accounting.members_of(logits, np.array([0]))
    assert found.predicted.tolist() == [[0], [1]] and found.mean.tolist() == [0]
    assert found.disagree.tolist() == [True] and found.correct.tolist() == [[True], [False]]


def write_predictions(path, answers: dict[str, list[int]], labels: dict[str, list[int]], metadata: dict):
    rows = [
        {"split": split, "image_id": i, "label": label, "logits": np.eye(3)[answer].tolist()}
        for split, known in labels.items()
        for i, (answer, label) in enumerate(zip(answers[split], known, strict=True))
    ]
    schema = table_files.predictions_schema(3)
    table_files.write_table(path, pa.Table.from_pylist(rows, schema=schema), schema, metadata)
    return path


def test_the_script_gives_each_group_the_files_of_its_own(tmp_path, monkeypatch):
    labels = {"val": [0, 1], "test": [0, 1, 2]}
    paths = [
        write_predictions(tmp_path / f"{i}.parquet", {"val": [0, 0], "test": answers}, labels, METADATA)
        for i, answers in enumerate([[0, 1, 0], [0, 0, 0], [0, 1, 2], [1, 1, 2], [1, 1, 2], [2, 1, 2], [0, 0, 0]])
    ]
    (tmp_path / "list").write_text("\n".join(map(str, paths)))
    jobs = [("a", 1, ["loud"]), ("b", 2, ["loud", "mean"])]  # each of two members
    settings = {
        "groups": [
            {"dataset": "toys", "group": group, "replicate": replicate, "n_members": 2, "protocols": protocols}
            for group, replicate, protocols in jobs
        ]
    }
    files = {"predictions": f"@{tmp_path / 'list'}", "output": tmp_path / "groups.parquet"}
    run_script("compare_groups", None, settings, **files)
    rows = table_files.read_table(tmp_path / "groups.parquet", GROUPS_SCHEMA).to_pylist()
    found = {(r["group"], r["replicate"], r["protocol"]): r["value"] for r in rows if r["quantity"] == "accuracy"}
    assert found == pytest.approx(
        {
            ("a", 1, "oracle-selector"): 2 / 3,
            ("a", 1, "best-member"): 2 / 3,
            ("a", 1, "loud"): 1,
            ("b", 2, "oracle-selector"): 2 / 3,
            ("b", 2, "best-member"): 2 / 3,
            ("b", 2, "loud"): 2 / 3,
            ("b", 2, "mean"): 1 / 3,
        }
    )
    assert {row["split"] for row in rows} == {"test"}
    run_script("compare_groups", None, {"groups": []}, output=tmp_path / "none.parquet")
    assert table_files.read_table(tmp_path / "none.parquet", GROUPS_SCHEMA).num_rows == 0

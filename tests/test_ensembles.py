import numpy as np
import pyarrow as pa
import pytest

from selfdoubt import ensembles, schemas
from selfdoubt.errors import UserError


def predictions(logits: list[list[float]], labels: list[int]) -> pa.Table:
    rows = [
        {"split": "test", "image_id": i, "label": label, "logits": row}
        for i, (row, label) in enumerate(zip(logits, labels, strict=True))
    ]
    return pa.Table.from_pylist(rows, schema=schemas.predictions_schema(2))


def test_mean_probability_by_hand():
    # softmax (ln 3, 0) = (3/4, 1/4) and softmax (0, 0) = (1/2, 1/2): the mean is (5/8, 3/8).
    found = ensembles.mean_probability([np.array([[np.log(3), 0]]), np.array([[0.0, 0.0]])])
    np.testing.assert_allclose(np.exp(found), [[5 / 8, 3 / 8]], rtol=1e-6)


def test_mean_probability_keeps_tiny_probabilities_and_ignores_the_order_of_members():
    sure, other = np.array([[1000.0, 0.0]], np.float32), np.array([[990.0, 0.0]], np.float32)
    found = ensembles.mean_probability([sure, other])
    assert found[0, 1] == pytest.approx(-990 - np.log(2))  # log((e^-1000 + e^-990) / 2), to 5e-5
    np.testing.assert_allclose(found, ensembles.mean_probability([other, sure]), rtol=1e-12)


def test_a_group_keeps_the_rows_of_its_members():
    members = [predictions([[np.log(3), 0], [0, 0]], [0, 1]), predictions([[0, 0], [0, np.log(3)]], [0, 1])]
    found = ensembles.combine(members, ensembles.mean_probability)
    assert found["label"].to_pylist() == [0, 1]
    np.testing.assert_allclose(np.exp(found["logits"].to_pylist()), [[5 / 8, 3 / 8], [3 / 8, 5 / 8]], rtol=1e-6)


def test_members_that_saw_other_images_are_refused():
    with pytest.raises(UserError, match="not of the same images"):
        ensembles.combine([predictions([[0, 0]], [0]), predictions([[0, 0]], [1])], ensembles.mean_probability)


def test_a_group_keeps_the_classes_of_ood_images():
    member = predictions([[0, 0], [1, 0]], [-1, -1]).append_column("ood_class", pa.array([4, 7], pa.int16()))
    assert ensembles.combine([member, member], ensembles.mean_probability)["ood_class"].to_pylist() == [4, 7]

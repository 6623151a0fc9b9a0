"""Labels that many people gave: files of them, and whose images they are of."""

import numpy as np
import pytest

from selfdoubt.evaluation.predictions import Predictions
from selfdoubt.external import people
from selfdoubt.runtime.errors import UserError

LABELS = np.array([0, 1, 2, 0, 1, 2])
COUNTS = 8 * np.eye(3, dtype=np.int64)[LABELS] + 1  # ten people: nine for the label, one for each other


def arm(rows, ids=None) -> Predictions:
    ids = np.asarray(rows) if ids is None else ids
    return Predictions(np.zeros((len(rows), 3)), LABELS[rows], image_ids=ids)


def saved(tmp_path, counts=COUNTS, **ids):
    path = tmp_path / ("counts.npz" if ids else "counts.npy")
    np.savez(path, counts=counts, **ids) if ids else np.save(path, counts)
    return people.read(path)


def test_counts_become_fractions_in_the_order_of_the_images(tmp_path):
    found = people.of_test(saved(tmp_path), {"test": arm(range(6))}, "a")
    assert found[1] == pytest.approx([1 / 11, 9 / 11, 1 / 11])
    half = {"val": arm([0, 2, 4]), "test": arm([1, 3, 5])}  # val was drawn from the images of test
    assert people.of_test(saved(tmp_path), half, "a").argmax(1).tolist() == [1, 0, 2]


@pytest.mark.parametrize("names", [np.array([7, 3, 9, 1, 4, 2]), np.array(["f", "b", "c", "a", "e", "d"])])
def test_ids_pair_rows_in_any_order_of_a_larger_file(tmp_path, names):
    file = saved(tmp_path, image_id=names)
    rows = np.array([4, 0, 2])[np.argsort(names[[4, 0, 2]])]
    assert people.of_test(file, {"test": arm(rows, names[rows])}, "a").argmax(1).tolist() == LABELS[rows].tolist()
    with pytest.raises(UserError, match="has no image_id"):
        people.of_test(file, {"test": arm(rows, names[rows].astype(str).astype(object) + "x")}, "a")


WRONG = [
    (COUNTS[:5], "has 5 rows, and a 6 test images"),
    (COUNTS[:, :2], "has 2 classes, and a has 3"),
    (COUNTS[[1, 2, 0, 4, 5, 3]], "is the label of 0.0% of the images of a"),
    (-COUNTS, "row 0 has no counts"),
    (0 * COUNTS, "row 0 has no counts"),
    (COUNTS[0], "of shape"),
    (COUNTS.astype(str), "of shape"),
    (np.where(COUNTS == 1, np.nan, COUNTS), "row 0 has no counts"),
]


@pytest.mark.parametrize(("counts", "message"), WRONG)
def test_labels_that_cannot_be_of_these_images_are_refused(tmp_path, counts, message):
    with pytest.raises(UserError, match=message):
        people.of_test(saved(tmp_path, counts), {"test": arm(range(6))}, "a")


def test_files_that_are_none_are_refused(tmp_path):
    (tmp_path / "counts.npy").write_bytes(b"none")
    with pytest.raises(UserError, match="not readable"):
        people.read(tmp_path / "counts.npy")
    with pytest.raises(UserError, match="image_id is of shape"):
        saved(tmp_path, image_id=np.arange(3))
    with pytest.raises(UserError, match="2 arrays besides image_id"):
        saved(tmp_path, image_id=np.arange(6), more=COUNTS)


def test_labels_may_differ_now_and_then(tmp_path):
    counts = COUNTS.copy()
    counts[0] = [1, 9, 1]
    assert len(people.of_test(saved(tmp_path, counts), {"test": arm(range(6))}, "a")) == 6
